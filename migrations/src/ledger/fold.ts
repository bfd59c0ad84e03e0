import type { Phase, RoutingState } from '@strangler/contracts';
import type { LedgerEvent } from './ledger.js';

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
};

function step(standing: Standing, event: LedgerEvent): Standing {
  const seen = { ...standing, sequence: event.sequence };
  switch (event.kind) {
    case 'refused':
      return seen;
    case 'verified':
      return { ...seen, lastVerified: event };
    case 'share-changed':
      return { ...seen, share: event.shareTo, last: event };
    case 'advanced':
    case 'forced':
    case 'rolled-back': {
      const moved = event.from !== event.to;
      return {
        ...seen,
        phase: event.to,
        since: moved ? event.at : standing.since,
        share: event.to === 'canary' ? event.shareTo : null,
        copiedSince: event.to === 'legacy' ? null : event.from === 'legacy' ? event.at : standing.copiedSince,
        generation: standing.generation + (moved && event.kind === 'rolled-back' ? 1 : 0),
        last: event,
      };
    }
  }
}

/** Phases are never stored: they are what the history adds up to. */
export function foldLedger(events: readonly LedgerEvent[]): ReadonlyMap<string, Standing> {
  const standings = new Map<string, Standing>();
  for (const event of events)
    standings.set(event.migration, step(standings.get(event.migration) ?? UNTOUCHED, event));
  return standings;
}

const changesPhase = (event: LedgerEvent) =>
  event.from !== event.to && event.kind !== 'refused' && event.kind !== 'verified';

/**
 * The routing state of a history. Its version counts the phase changes, so it only grows, in whatever order concurrent
 * writers become visible; 1 is the empty ledger, since subscribers begin by asking for what comes after 0.
 */
export function routingStateOf(events: readonly LedgerEvent[]): RoutingState {
  const migrations: RoutingState['migrations'] = {};
  for (const [name, { phase, since, generation }] of foldLedger(events))
    if (since !== null) migrations[name] = { phase, since, ...(generation > 0 && { generation }) };
  return { version: 1 + events.filter(changesPhase).length, migrations };
}
