import { changedMeanwhile } from '../errors.js';
import { describeEvent } from './describe-event.js';
import type { Ledger, LedgerEvent } from './ledger.js';

/** A ledger in memory, for tests; holds to the same promises as the real one. */
export function fakeLedger(clock: () => number = Date.now): Ledger {
  const events: LedgerEvent[] = [];
  return {
    async history() {
      return structuredClone(events);
    },
    async size() {
      return events.length;
    },
    async append(migration, after, added) {
      const last = events.findLast((event) => event.migration === migration);
      if (last && last.sequence !== after) throw changedMeanwhile(migration, describeEvent(last));
      const stored = added.map((event, index) => ({
        ...structuredClone(event),
        id: events.length + index + 1,
        migration,
        sequence: after + index + 1,
        at: new Date(clock()).toISOString(),
      }));
      events.push(...stored);
      return structuredClone(stored);
    },
  };
}
