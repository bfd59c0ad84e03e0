import type { Phase } from '@strangler/contracts';
import type { Evidence } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import { countersOf, proxyCounters } from '../gates/each-proxy.js';
import type { Standing } from '../ledger/fold.js';
import type { Counters, LedgerKind, NewLedgerEvent } from '../ledger/ledger.js';
import type { Control } from './control.js';
import { standingOf } from './look-up.js';
import type { Move } from './move.js';
import { retryOnChange } from './retry-on-change.js';

/** One event for each phase a move goes through. */
export function eventsOf(
  control: Control,
  move: Move,
  kind: LedgerKind,
  wish: { readonly by: string; readonly why?: string },
  gates: readonly Gate[],
): readonly NewLedgerEvent[] {
  const hops =
    move.path.length === 1
      ? [[move.path[0], move.path[0]] as const]
      : move.path.slice(1).map((to, index) => [move.path[index], to] as const);
  return hops.map(([from, to], index) => ({
    kind,
    from: from as Phase,
    to: to as Phase,
    shareFrom: index === 0 ? move.shareFrom : null,
    shareTo: index === hops.length - 1 ? move.shareTo : null,
    by: wish.by,
    why: wish.why ?? null,
    gates,
    verification: null,
    counters: null,
    planRevision: control.plan.revision,
  }));
}

/** What the service had answered when the move was decided: later failures are counted from here. */
export function countersNow({ proxies, heard }: Evidence, name: string): Counters | null {
  const each = proxyCounters(proxies, name);
  const traffic = heard?.migrations[name];
  if (!heard || !traffic) return null;
  const { instance, startedAt } = heard;
  return { instance, startedAt, ...countersOf(traffic), ...(each.length > 1 && { proxies: each }) };
}

/** An event that changes nothing goes behind whatever is last now. */
export async function note(
  control: Control,
  name: string,
  eventsAt: (standing: Standing) => readonly NewLedgerEvent[],
): Promise<void> {
  await retryOnChange(async () => {
    const { standing } = await standingOf(control, name);
    const events = eventsAt(standing);
    if (events.length > 0) await control.ledger.append(name, standing.sequence, events);
  });
}

const REFUSAL_REPEATS_MS = 600_000;
const whatWasRefused = ({ kind, from, to, shareTo, by, gates }: NewLedgerEvent) =>
  JSON.stringify([kind, from, to, shareTo, by, gates.filter(({ met }) => !met).map(({ gate }) => gate)]);

/** A script that asks again and again is refused once in the ledger as long as nothing else happens. */
export async function noteRefusal(
  control: Control,
  name: string,
  events: readonly NewLedgerEvent[],
): Promise<void> {
  const last = (await control.ledger.history()).findLast(({ migration }) => migration === name);
  const repeats =
    last !== undefined &&
    Date.now() - Date.parse(last.at) < REFUSAL_REPEATS_MS &&
    events.every((event) => whatWasRefused(event) === whatWasRefused(last));
  if (!repeats) await note(control, name, () => events);
}
