import {
  assertCutoverTransition,
  type CutoverState,
  isCommitted,
  isOver,
  reasonOf,
} from '@strangler/contracts';
import type { Cutover } from '../ledger/fold.js';
import { carryOut, WAYS } from './advance-state.js';
import { type CutoverSteps, failed, type Outcome } from './steps.js';

export type Drive = {
  readonly cutover: Cutover;
  readonly steps: CutoverSteps;
  /** Writes the state into the journal; throws when it cannot, LEASE_LOST when it may not. */
  readonly write: (state: CutoverState, note: string) => Promise<Cutover>;
  /** How long writes may be held in all, milliseconds: later it goes back, unless it is committed. */
  readonly longestHoldMs: number;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborted when somebody else carries on, or this process ends. */
  readonly signal: AbortSignal;
  readonly onStep: (note: string) => void;
  /** A step behind the point of no return did not come to its end and is tried again. */
  readonly onRetry: (state: CutoverState, note: string) => void;
};

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

/**
 * prepare -> hold -> fence -> catch up -> verify -> commit -> open -> release -> reverse, from whatever state it is in. Before COMMITTED whatever fails leads back, after it
 * everything is tried until it is done. Answers the state it ended in; throws when it may not go on.
 */
export async function drive(options: Drive): Promise<Cutover> {
  const { steps, write, signal, sleep, onStep, onRetry } = options;
  let { cutover } = options;
  for (let attempt = 0; !isOver(cutover.state);) {
    signal.throwIfAborted();
    const { state } = cutover;
    const outcome = isHeldTooLong(options, cutover)
      ? failed(`writes were held for longer than ${options.longestHoldMs} ms`)
      : await outcomeOf(() => carryOut(state, steps, onStep));
    signal.throwIfAborted();
    const mustGoOn = isCommitted(state) || state === 'ABORTING';
    if (!outcome.ok && mustGoOn) {
      onRetry(state, outcome.note);
      await sleep(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt++));
      continue;
    }
    attempt = 0;
    const next = outcome.ok ? (WAYS[state]?.next as CutoverState) : 'ABORTING';
    assertCutoverTransition(cutover.unit, state, next);
    cutover = await write(next, outcome.note);
  }
  return cutover;
}

const isHeldTooLong = ({ longestHoldMs, now }: Drive, { state, heldAt }: Cutover): boolean =>
  heldAt !== null &&
  !isCommitted(state) &&
  state !== 'ABORTING' &&
  now() - Date.parse(heldAt) > longestHoldMs;

/** What a step throws is what it failed by. */
async function outcomeOf(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    return failed(reasonOf(error));
  }
}
