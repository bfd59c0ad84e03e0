import { StranglerError } from '@strangler/contracts';
import { type DataSource, QueryFailedError } from 'typeorm';
import { changedMeanwhile, leaseLost, ledgerFailed } from '../errors.js';
import { describeEvent } from './describe-event.js';
import { eventOf, LedgerEntry } from './ledger-entry.js';
import type { Guard, Ledger, LedgerEvent, LedgerPart } from './ledger.js';
import { leaseToken } from './typeorm-leases.js';

const isDuplicate = (error: unknown) =>
  error instanceof QueryFailedError &&
  (error.driverError as { code?: string } | undefined)?.code === 'ER_DUP_ENTRY';

/** The ledger in MySQL or MariaDB. The unique key over (migration, sequence) decides between two writers. */
export function typeormLedger(source: DataSource, where: string, clock: () => number = Date.now): Ledger {
  const entries = source.getRepository(LedgerEntry);
  const lastOf = (migration: string) =>
    reach(entries.findOne({ where: { migration }, order: { sequence: 'DESC' } }));
  const reach = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw isDuplicate(cause) || cause instanceof StranglerError ? cause : ledgerFailed(where, cause);
    }
  };
  const changed = async (parts: readonly LedgerPart[]) => {
    for (const { migration, after } of parts) {
      const last = await lastOf(migration);
      // A gap is as wrong as a clash: `after` has to be the last sequence, not just a free one.
      if (last && last.sequence !== after) return changedMeanwhile(migration, describeEvent(eventOf(last)));
    }
    return undefined;
  };
  async function appendTogether(
    given: readonly LedgerPart[],
    guard?: Guard,
  ): Promise<readonly LedgerEvent[]> {
    // In one order for all writers: two that lock the same rows in turn would wait for each other.
    const parts = given.toSorted((a, b) => a.migration.localeCompare(b.migration));
    const before = await changed(parts);
    if (before) throw before;
    const at = new Date(clock());
    try {
      const stored = await reach(
        source.transaction(async (manager) => {
          // Locked until this is committed: whoever takes the lease waits, and then reads what was written here.
          if (guard && (await leaseToken(manager, guard.unit)) !== guard.token) throw leaseLost(guard.unit);
          return manager.getRepository(LedgerEntry).save(
            parts.flatMap(({ migration, after, events }) =>
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
                cutover: event.cutover ?? null,
              })),
            ),
          );
        }),
      );
      return stored.map(eventOf);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      throw (
        (await changed(parts)) ??
        changedMeanwhile(parts.map(({ migration }) => migration).join(', '), 'another event')
      );
    }
  }
  return {
    history: async () => (await reach(entries.find({ order: { id: 'ASC' } }))).map(eventOf),
    size: () => reach(entries.count()),
    append: (migration, after, events) => appendTogether([{ migration, after, events }]),
    appendTogether,
  };
}
