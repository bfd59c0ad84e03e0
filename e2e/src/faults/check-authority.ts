import { isCommitted, NEXT_CUTOVER_STATES, type Side } from '@strangler/contracts';
import type { Glimpse, History, JournalRow } from './history.js';

const MOST_TOLD = 10;

/** One side may write at a time, it is the one the journal says, and the journal goes only where it may. */
export function checkAuthority({ legacy, service, glimpses, journal }: History): readonly string[] {
  const found = [...checkJournal(journal), ...glimpses.flatMap(bothOpen)];
  const allowed = sidesOf(journal);
  const log = [
    ...legacy.log.map((entry) => ({ ...entry, side: 'legacy' as Side })),
    ...service.log.map((entry) => ({ ...entry, side: 'service' as Side })),
  ].toSorted((a, b) => a.at - b.at);
  let last = log[0];
  for (const entry of log) {
    const side = entry.epoch === 0 ? 'legacy' : allowed.get(entry.epoch);
    if (entry.side !== side)
      found.push(
        `"${entry.token}" was written in ${entry.side} at epoch ${entry.epoch}, in which ${side ?? 'nobody'} may write`,
      );
    // Each database in its own order is right by its fence; between both only the clock can tell.
    if (last && entry.epoch < last.epoch)
      found.push(
        `"${entry.token}" was written in ${entry.side} at epoch ${entry.epoch} after "${last.token}" in ${last.side} at ${last.epoch}`,
      );
    if (!last || entry.epoch >= last.epoch) last = entry;
  }
  return found.slice(0, MOST_TOLD);
}

/** Who may write in an epoch: where the attempt led to, the other way where it was given up. */
function sidesOf(journal: readonly JournalRow[]): ReadonlyMap<number, Side> {
  const sides = new Map<number, Side>();
  for (const { epoch, state, from, to } of journal)
    if (isCommitted(state)) sides.set(epoch, to);
    else if (!sides.has(epoch)) sides.set(epoch, from);
  return sides;
}

const bothOpen = ({ at, legacy, service, legacyAgain }: Glimpse): readonly string[] =>
  legacy.isOpen && legacyAgain.isOpen && legacy.epoch === legacyAgain.epoch && service.isOpen
    ? [
        `at ${Math.round(at)} ms both fences were open, legacy's at epoch ${legacy.epoch}, the service's at ${service.epoch}`,
      ]
    : [];

function checkJournal(journal: readonly JournalRow[]): readonly string[] {
  const found: string[] = [];
  let last: JournalRow | undefined;
  let authority: Side = 'legacy';
  for (const row of journal) {
    const name = `the journal's ${row.state} of epoch ${row.epoch}`;
    if (last?.epoch === row.epoch) {
      if (!NEXT_CUTOVER_STATES[last.state].includes(row.state)) found.push(`${name} follows ${last.state}`);
      if (last.from !== row.from || last.to !== row.to) found.push(`${name} leads another way than it began`);
    } else {
      if (row.epoch !== (last?.epoch ?? 0) + 1) found.push(`${name} follows epoch ${last?.epoch ?? 0}`);
      if (row.state !== 'PREPARING') found.push(`${name} is the first of it`);
      if (last && NEXT_CUTOVER_STATES[last.state].length > 0)
        found.push(`${name} begins while epoch ${last.epoch} is ${last.state}`);
      if (row.from !== authority) found.push(`${name} takes from ${row.from} what ${authority} has`);
    }
    if (row.state === 'COMMITTED') authority = row.to;
    last = row;
  }
  return found;
}
