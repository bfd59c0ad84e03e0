import { changedMeanwhile, leaseLost } from '../errors.js';
import { describeEvent } from './describe-event.js';
import type { FakeLeases } from './fake-leases.js';
import type { Guard, Ledger, LedgerEvent, LedgerPart } from './ledger.js';

/** A ledger in memory, for tests; holds to the same promises as the real one. */
export function fakeLedger(clock: () => number = Date.now, leases?: FakeLeases): Ledger {
  const events: LedgerEvent[] = [];
  async function appendTogether(
    parts: readonly LedgerPart[],
    guard?: Guard,
  ): Promise<readonly LedgerEvent[]> {
    if (guard && leases?.tokenOf(guard.unit) !== guard.token) throw leaseLost(guard.unit);
    for (const { migration, after } of parts) {
      const last = events.findLast((event) => event.migration === migration);
      if (last && last.sequence !== after) throw changedMeanwhile(migration, describeEvent(last));
    }
    const before = events.length;
    const at = new Date(clock()).toISOString();
    for (const { migration, after, events: added } of parts)
      for (const [index, event] of added.entries())
        events.push({
          ...structuredClone(event),
          id: events.length + 1,
          migration,
          sequence: after + index + 1,
          at,
        });
    return structuredClone(events.slice(before));
  }
  return {
    async history() {
      return structuredClone(events);
    },
    async size() {
      return events.length;
    },
    append: (migration, after, added) => appendTogether([{ migration, after, events: added }]),
    appendTogether,
  };
}
