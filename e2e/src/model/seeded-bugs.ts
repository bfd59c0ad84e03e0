import type { Bounds, Rules } from './rules.js';

export type SeededBug = {
  readonly name: string;
  readonly rules: Partial<Rules>;
  /** What the bug needs beyond `FEW`. */
  readonly bounds?: Partial<Bounds>;
};

/** Enough for most bugs to show. */
export const FEW: Bounds = {
  writes: 1,
  proxies: 0,
  attempts: 2,
  leases: 2,
  direct: true,
  lostAnswers: false,
  zombieApplier: false,
};

/** Two proxies whose word the coordinator waits for, and nobody who goes past them. */
const CALM: Partial<Bounds> = { proxies: 2, attempts: 1, leases: 1, direct: false };
const NO_LEGACY_FENCE = { fenced: { legacy: false, service: true } };
const NO_SERVICE_FENCE = { fenced: { legacy: true, service: false } };

/** Each takes something away from the protocol that one of the invariants must miss. */
export const SEEDED_BUGS: readonly SeededBug[] = [
  { name: 'legacy has no fence', rules: NO_LEGACY_FENCE },
  { name: 'the service has no fence', rules: NO_SERVICE_FENCE },
  {
    name: 'no fence on legacy, and hold is acknowledged before the writes on their way have ended',
    rules: { ...NO_LEGACY_FENCE, waits: 'held' },
    bounds: CALM,
  },
  {
    name: 'no fence on the service and no guard, behind proxies that are cut off',
    rules: { ...NO_SERVICE_FENCE, guard: false, waits: 'drained' },
    bounds: { ...CALM, attempts: 3, proxies: 1 },
  },
  { name: 'the fence closes without waiting for open transactions', rules: { fenceWaitsForOpen: false } },
  { name: 'the fence opens before COMMITTED is written', rules: { openAfterCommit: false } },
  { name: 'FENCED is written before the fence is closed', rules: { fenceBeforeRow: false } },
  { name: 'the watermark is written before the fence is closed', rules: { watermarkBehindFence: false } },
  { name: 'reach does not wait', rules: { reachWaits: false } },
  { name: 'the beginning of the stream back is noted after OPEN', rules: { notedBehindFence: false } },
  { name: 'asked again for an epoch, the note moves on', rules: { notedOnce: false } },
  {
    name: 'a note of an older attempt is taken',
    rules: { noteKnowsEpoch: false },
    bounds: { attempts: 3 },
  },
  {
    name: 'rows of the journal need neither the newest token nor a row that allows them',
    rules: { journalKnowsToken: false, journalKnowsState: false },
  },
  {
    name: 'rows of the journal need the newest token, but no row that allows them',
    rules: { journalKnowsState: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'no fencing token anywhere, and no last word of an attempt',
    rules: { journalKnowsToken: false, fenceKnowsToken: false, openIsLastWord: false },
  },
  {
    name: 'the fence knows tokens, but not that open is the last word of an attempt',
    rules: { openIsLastWord: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'the fence knows neither epochs nor tokens',
    rules: { fenceKnowsEpoch: false, fenceKnowsToken: false },
  },
  {
    name: 'an abort leaves a fence that is open as it is',
    rules: { abortAlwaysWrites: false },
    bounds: { lostAnswers: true },
  },
  { name: 'ids are not handed over', rules: { idsHandedOver: false }, bounds: { writes: 2 } },
  { name: 'COMMITTED and the phase are two transactions', rules: { committedAtOnce: false } },
  { name: 'proxies release at COMMITTED', rules: { releaseAtOpen: false } },
  { name: 'an abort after COMMITTED', rules: { abortOnlyBeforeCommit: false } },
  { name: 'a write without an answer is sent again', rules: { forwardedOnce: false } },
  {
    name: 'two appliers, and neither compares its offset',
    rules: { offsetCompared: false },
    bounds: { zombieApplier: true },
  },
  {
    name: 'two appliers without comparing offsets, and open fences let them write',
    rules: { offsetCompared: false, openFenceRefusesAppliers: false },
    bounds: { zombieApplier: true },
  },
  { name: 'echoes are carried, and open fences let appliers write', rules: { echoesLeftOut: false, openFenceRefusesAppliers: false } },
  { name: 'echoes are carried', rules: { echoesLeftOut: false }, bounds: { attempts: 3 } },
];

/** What can be taken away and no invariant misses it: another rule stands behind each of these. */
export const SECOND_LINES: readonly SeededBug[] = [
  { name: 'the service has no guard', rules: { guard: false } },
  { name: 'the fence does not know tokens', rules: { fenceKnowsToken: false } },
  { name: 'the fence does not know epochs', rules: { fenceKnowsEpoch: false } },
  { name: 'an open fence lets appliers write', rules: { openFenceRefusesAppliers: false } },
  { name: 'a note does not raise the incarnation', rules: { noteRaisesIncarnation: false } },
  { name: 'rows of the journal need no token', rules: { journalKnowsToken: false } },
  {
    name: 'no fence on legacy, but every proxy holds and its writes have ended',
    rules: { ...NO_LEGACY_FENCE, waits: 'drained' },
    bounds: CALM,
  },
];
