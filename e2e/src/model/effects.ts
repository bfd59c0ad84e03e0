import { NEXT_CUTOVER_STATES, openFenceIn, type CutoverState } from '@strangler/contracts';
import type { Rules } from './rules.js';

/** What a coordinator does outside of the journal, before it writes the next row. */
export type Effect = 'close' | 'open' | 'watermark' | 'reach' | 'ids' | 'note' | 'phase';

/** The next state of an attempt that goes well, or that is on its way back. */
export const nextOf = (state: CutoverState): CutoverState | null =>
  NEXT_CUTOVER_STATES[state].find((next) => next !== 'ABORTING') ?? null;

/** A fence is changed on the way between two states that differ in which one is open. */
function fenceEffect(state: CutoverState): readonly Effect[] {
  const next = nextOf(state);
  if (next === null) return [];
  const [before, after] = [openFenceIn(state, 'legacy', 'service'), openFenceIn(next, 'legacy', 'service')];
  if (before === after) return [];
  return [after === null ? 'close' : 'open'];
}

/** The side that is opened on the way to the next state: its old one when it goes back. */
export const opensOldSide = (state: CutoverState): boolean => {
  const next = nextOf(state);
  return next !== null && openFenceIn(next, 'legacy', 'service') === 'legacy';
};

/** The effects of each state, as the rules have them. */
export function effectsBy(rules: Rules): (state: CutoverState) => readonly Effect[] {
  const synced: Partial<Record<CutoverState, readonly Effect[]>> = {
    FENCED: ['watermark', ...(rules.reachWaits ? ['reach' as const] : [])],
    CAUGHT_UP: [
      ...(rules.idsHandedOver ? ['ids' as const] : []),
      ...(rules.notedBehindFence ? ['note' as const] : []),
    ],
  };
  const seeded: Partial<Record<CutoverState, readonly Effect[]>> = {
    ...(rules.fenceBeforeRow ? {} : { HOLDING: [], FENCED: ['close', 'watermark', 'reach'] }),
    ...(rules.watermarkBehindFence ? {} : { HOLDING: ['watermark', 'close'], FENCED: ['reach'] }),
    ...(rules.notedBehindFence ? {} : { OPEN: ['note'] }),
    ...(rules.openAfterCommit ? {} : { VERIFIED: ['open'], COMMITTED: [] }),
    ...(rules.committedAtOnce ? {} : { COMMITTED: ['phase', 'open'] }),
  };
  return (state) => seeded[state] ?? [...fenceEffect(state), ...(synced[state] ?? [])];
}

/** How many effects a coordinator that finds a state in the journal takes for done: those of a bug that wrote the row too soon. */
export function takenForDone(rules: Rules, state: CutoverState | null): number {
  if (!rules.fenceBeforeRow && state === 'FENCED') return 1;
  return !rules.committedAtOnce && state === 'COMMITTED' ? 1 : 0;
}
