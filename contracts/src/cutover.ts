import { cutoverTransitionNotAllowed } from './errors.js';

export const SIDES = ['legacy', 'service'] as const;
/** One of the two that may write: an application with its database. */
export type Side = (typeof SIDES)[number];

export const otherSide = (side: Side): Side => (side === 'legacy' ? 'service' : 'legacy');

/** The states of a cutover in the journal, in order; what each means is the table in docs/cutover.md. COMMITTED is the point of no return. */
export const CUTOVER_STATES = [
  'PREPARING',
  'HOLDING',
  'FENCED',
  'CAUGHT_UP',
  'VERIFIED',
  'COMMITTED',
  'OPEN',
  'REVERSING',
  'ABORTING',
  'ABORTED',
] as const;
export type CutoverState = (typeof CUTOVER_STATES)[number];

/** Allowed next states. Before COMMITTED every failure leads back, after it every failure leads on. */
export const NEXT_CUTOVER_STATES: Readonly<Record<CutoverState, readonly CutoverState[]>> = {
  PREPARING: ['HOLDING', 'ABORTING'],
  HOLDING: ['FENCED', 'ABORTING'],
  FENCED: ['CAUGHT_UP', 'ABORTING'],
  CAUGHT_UP: ['VERIFIED', 'ABORTING'],
  VERIFIED: ['COMMITTED', 'ABORTING'],
  COMMITTED: ['OPEN'],
  OPEN: ['REVERSING'],
  REVERSING: [],
  ABORTING: ['ABORTED'],
  ABORTED: [],
};

export function assertCutoverTransition(unit: string, from: CutoverState, to: CutoverState): void {
  if (!NEXT_CUTOVER_STATES[from].includes(to))
    throw cutoverTransitionNotAllowed(unit, from, to, NEXT_CUTOVER_STATES[from]);
}

/** Nothing is left to do. */
export const isOver = (state: CutoverState): boolean => NEXT_CUTOVER_STATES[state].length === 0;

const COMMITTED_STATES: readonly CutoverState[] = ['COMMITTED', 'OPEN', 'REVERSING'];

/** From here on it can only go forward. */
export const isCommitted = (state: CutoverState): boolean => COMMITTED_STATES.includes(state);

/** The side that may write, by the newest row of the journal. */
export const authorityIn = (state: CutoverState, from: Side, to: Side): Side =>
  isCommitted(state) ? to : from;

const HELD_STATES: readonly CutoverState[] = [
  'HOLDING',
  'FENCED',
  'CAUGHT_UP',
  'VERIFIED',
  'COMMITTED',
  // Until the old side's fence is open again its writes would be refused.
  'ABORTING',
];

/** Whether proxies hold new writes of the group. */
export const areWritesHeld = (state: CutoverState): boolean => HELD_STATES.includes(state);

/**
 * Where the fences stand while the journal says so. A fence closes before the row that says it is closed is written, and opens before the row that says it is open:
 * whoever finds the journal in a state brings the fences to what the next one wants, and writes it.
 */
export const openFenceIn = (state: CutoverState, from: Side, to: Side): Side | null => {
  if (state === 'PREPARING' || state === 'HOLDING' || state === 'ABORTED') return from;
  return state === 'OPEN' || state === 'REVERSING' ? to : null;
};
