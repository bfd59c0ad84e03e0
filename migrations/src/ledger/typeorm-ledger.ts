import { type DataSource, QueryFailedError } from 'typeorm';
import { changedMeanwhile, ledgerUnreachable } from '../errors.js';
import { describeEvent } from './describe-event.js';
import { eventOf, LedgerEntry } from './ledger-entry.js';
import type { Ledger } from './ledger.js';

const isDuplicate = (error: unknown) =>
  error instanceof QueryFailedError &&
  (error.driverError as { code?: string } | undefined)?.code === 'ER_DUP_ENTRY';

/** The ledger in MySQL or MariaDB. The unique key over (migration, sequence) decides between two writers. */
export function typeormLedger(source: DataSource, clock: () => number = Date.now): Ledger {
  const entries = source.getRepository(LedgerEntry);
  const where = () => `${source.options.type} ${String(source.options.database ?? '')}`.trim();
  const lastOf = async (migration: string) =>
    entries.findOne({ where: { migration }, order: { sequence: 'DESC' } });
  const reach = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw isDuplicate(cause) ||
        !(cause instanceof Error) ||
        !('code' in cause || cause instanceof QueryFailedError)
        ? cause
        : ledgerUnreachable(where(), cause);
    });
  return {
    history: async () => (await reach(entries.find({ order: { id: 'ASC' } }))).map(eventOf),
    size: async () => reach(entries.count()),
    async append(migration, after, events) {
      const last = await reach(lastOf(migration));
      // A gap is as wrong as a clash: `after` has to be the last sequence, not just a free one.
      if ((last?.sequence ?? 0) !== after && last)
        throw changedMeanwhile(migration, describeEvent(eventOf(last)));
      const at = new Date(clock());
      try {
        const stored = await reach(
          source.transaction((manager) =>
            manager.getRepository(LedgerEntry).save(
              events.map((event, index) => ({
                migration,
                sequence: after + index + 1,
                at,
                kind: event.kind,
                fromPhase: event.from,
                toPhase: event.to,
                shareFrom: event.shareFrom,
                shareTo: event.shareTo,
                by: event.by,
                why: event.why,
                gates: event.gates,
                verification: event.verification,
                counters: event.counters,
                planRevision: event.planRevision,
              })),
            ),
          ),
        );
        return stored.map((entry) => eventOf(entry as LedgerEntry));
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        const other = await reach(lastOf(migration));
        throw changedMeanwhile(migration, other ? describeEvent(eventOf(other)) : 'another event');
      }
    },
  };
}
