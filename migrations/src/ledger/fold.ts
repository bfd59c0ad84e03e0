import { areWritesHeld, type CutoverState, type Phase, type RoutingState } from '@strangler/contracts';
import type { CutoverEntry, LedgerEvent } from './ledger.js';

/** The newest attempt to move the writes of a migration, over or not. */
export type Cutover = CutoverEntry & {
  readonly by: string;
  readonly why: string | null;
  /** When it began, when its writes began to be held, and when it came to the state it is in. */
  readonly startedAt: string;
  readonly heldAt: string | null;
  readonly at: string;
  readonly planRevision: string;
};

/** What the ledger says of one migration now. */
export type Standing = {
  readonly phase: Phase;
  /** When the phase began; null: it never left legacy. */
  readonly since: string | null;
  /** Percent of clients the ledger last decided; null outside canary. */
  readonly share: number | null;
  /** When the copy in place now was begun: a verification from before says nothing of it. */
  readonly copiedSince: string | null;
  /** How often it was rolled back: clients that were moved before that are no longer held to the service. */
  readonly generation: number;
  /** Sequence of its last event, 0 for none. */
  readonly sequence: number;
  /** The event that brought the phase or the share, if any. */
  readonly last: LedgerEvent | null;
  readonly lastVerified: LedgerEvent | null;
  /** Null: none was ever begun. */
  readonly cutover: Cutover | null;
  /** The newest approval that no cutover has used up yet. */
  readonly approved: LedgerEvent | null;
};

export const UNTOUCHED: Standing = {
  phase: 'legacy',
  since: null,
  share: null,
  copiedSince: null,
  generation: 0,
  sequence: 0,
  last: null,
  lastVerified: null,
  cutover: null,
  approved: null,
};

function step(standing: Standing, event: LedgerEvent): Standing {
  const seen = { ...standing, sequence: event.sequence };
  switch (event.kind) {
    case 'refused':
      return seen;
    case 'verified':
      return { ...seen, lastVerified: event };
    case 'approved':
      return { ...seen, approved: event };
    case 'cutover': {
      const moved = event.from === event.to ? seen : enter(standing, event);
      // An approval is for one cutover.
      const approved = event.cutover?.state === 'COMMITTED' ? null : standing.approved;
      return { ...moved, approved, cutover: cutoverAfter(standing.cutover, event) };
    }
    case 'share-changed':
      return { ...seen, share: event.shareTo, last: event };
    case 'advanced':
    case 'forced':
    case 'rolled-back':
      return enter(standing, event);
  }
}

function enter(standing: Standing, event: LedgerEvent): Standing {
  const moved = event.from !== event.to;
  const isBack = event.kind === 'rolled-back' || event.cutover?.to === 'legacy';
  return {
    ...standing,
    sequence: event.sequence,
    phase: event.to,
    since: moved ? event.at : standing.since,
    share: event.to === 'canary' ? event.shareTo : null,
    copiedSince: event.to === 'legacy' ? null : event.from === 'legacy' ? event.at : standing.copiedSince,
    generation: standing.generation + (moved && isBack ? 1 : 0),
    last: event,
  };
}

function cutoverAfter(before: Cutover | null, event: LedgerEvent): Cutover | null {
  const { cutover, by, why, at, planRevision } = event;
  if (!cutover) return before;
  const isSame = before?.epoch === cutover.epoch;
  return {
    ...cutover,
    by: isSame ? before.by : by,
    why: isSame ? before.why : why,
    startedAt: isSame ? before.startedAt : at,
    heldAt: cutover.state === 'HOLDING' ? at : isSame ? before.heldAt : null,
    at,
    planRevision,
  };
}

/** Phases are never stored: they are what the history adds up to. */
export function foldLedger(events: readonly LedgerEvent[]): ReadonlyMap<string, Standing> {
  const standings = new Map<string, Standing>();
  for (const event of events)
    standings.set(event.migration, step(standings.get(event.migration) ?? UNTOUCHED, event));
  return standings;
}

const ROUTING_STATES: readonly CutoverState[] = ['HOLDING', 'OPEN', 'ABORTED'];

const changesRouting = (event: LedgerEvent): boolean =>
  event.kind === 'cutover' && event.cutover && ROUTING_STATES.includes(event.cutover.state)
    ? true
    : event.from !== event.to && event.kind !== 'refused' && event.kind !== 'verified';

/**
 * The routing state of a history. Its version counts what changes routing, so it only grows, in whatever order concurrent
 * writers become visible; 1 is the empty ledger, since subscribers begin by asking for what comes after 0.
 */
export function routingStateOf(events: readonly LedgerEvent[]): RoutingState {
  const migrations: RoutingState['migrations'] = {};
  for (const [name, { phase, since, generation, cutover }] of foldLedger(events))
    if (since !== null)
      migrations[name] = {
        phase,
        since,
        ...(generation > 0 && { generation }),
        ...(cutover && { epoch: cutover.epoch }),
        ...(cutover && areWritesHeld(cutover.state) && { hold: true }),
      };
  return { version: 1 + events.filter(changesRouting).length, migrations };
}
