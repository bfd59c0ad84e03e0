import type { CutoverState } from '@strangler/contracts';
import type { CutoverSteps, Outcome } from './steps.js';

type Way = {
  /** Done in this order before the next state is written. */
  readonly steps: readonly (keyof CutoverSteps)[];
  readonly next: CutoverState;
};

/** What is done in each state, and the state that is written when it is done. A state without a row is the end. */
export const WAYS: Readonly<Partial<Record<CutoverState, Way>>> = {
  PREPARING: { steps: ['prepare'], next: 'HOLDING' },
  HOLDING: { steps: ['hold', 'fence'], next: 'FENCED' },
  FENCED: { steps: ['catchUp'], next: 'CAUGHT_UP' },
  CAUGHT_UP: { steps: ['verify'], next: 'VERIFIED' },
  VERIFIED: { steps: [], next: 'COMMITTED' },
  COMMITTED: { steps: ['open'], next: 'OPEN' },
  OPEN: { steps: ['release', 'reverse'], next: 'REVERSING' },
  ABORTING: { steps: ['reopen'], next: 'ABORTED' },
};

/** Does what a state asks for; ends with the first step that does not come to its end. */
export async function carryOut(
  state: CutoverState,
  steps: CutoverSteps,
  onStep: (note: string) => void,
): Promise<Outcome> {
  const notes: string[] = [];
  for (const step of WAYS[state]?.steps ?? []) {
    const outcome = await steps[step]();
    if (!outcome.ok) return outcome;
    notes.push(outcome.note);
    onStep(outcome.note);
  }
  return { ok: true, note: notes.join('; ') };
}
