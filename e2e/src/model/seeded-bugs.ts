import type { Bounds, Rules } from './rules.js';

export type SeededRule = {
  readonly name: string;
  readonly rules: Partial<Rules>;
  /** What the bug needs beyond `FEW`. */
  readonly bounds?: Partial<Bounds>;
};
/** `invariant`: the first that misses it. */
export type SeededBug = SeededRule & { readonly invariant: string };

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

/** What `npm run model` runs, besides the bugs. */
export const MANY: readonly Bounds[] = [
  { ...FEW, attempts: 3, lostAnswers: true, zombieApplier: true },
  { ...FEW, attempts: 3, leases: 3 },
  { ...FEW, writes: 2, zombieApplier: true },
  { ...FEW, writes: 2, attempts: 3 },
  { ...FEW, writes: 2, attempts: 1, lostAnswers: true, zombieApplier: true },
  { ...FEW, writes: 3, attempts: 1 },
  { ...FEW, proxies: 2 },
  { ...FEW, writes: 2, proxies: 2, attempts: 1 },
];

/** Two proxies whose word the coordinator waits for, and nobody who goes past them. */
const CALM: Partial<Bounds> = { proxies: 2, attempts: 1, leases: 1, direct: false };
const NO_LEGACY_FENCE = { fenced: { legacy: false, service: true } };
const NO_SERVICE_FENCE = { fenced: { legacy: true, service: false } };

/** Each takes something away from the protocol that one of the invariants must miss. */
export const SEEDED_BUGS: readonly SeededBug[] = [
  { name: 'legacy has no fence', invariant: 'SingleAuthority', rules: NO_LEGACY_FENCE },
  { name: 'the service has no fence', invariant: 'SingleAuthority', rules: NO_SERVICE_FENCE },
  {
    name: 'no fence on legacy, and hold is acknowledged before the writes on their way have ended',
    invariant: 'SingleAuthority',
    rules: { ...NO_LEGACY_FENCE, waits: 'held' },
    bounds: CALM,
  },
  {
    name: 'no fence on the service and no guard, behind proxies that are cut off',
    invariant: 'SingleAuthority',
    rules: { ...NO_SERVICE_FENCE, guard: false },
    bounds: { direct: false },
  },
  {
    name: 'the fence closes without waiting for open transactions',
    invariant: 'NoLostWrite',
    rules: { fenceWaitsForOpen: false },
  },
  {
    name: 'the fence opens before COMMITTED is written',
    invariant: 'SingleAuthority',
    rules: { openAfterCommit: false },
  },
  {
    name: 'FENCED is written before the fence is closed',
    invariant: 'SingleAuthority',
    rules: { fenceBeforeRow: false },
  },
  {
    name: 'the watermark is written before the fence is closed',
    invariant: 'NoLostWrite',
    rules: { watermarkBehindFence: false },
  },
  { name: 'reach does not wait', invariant: 'NoLostWrite', rules: { reachWaits: false } },
  {
    name: 'the beginning of the stream back is noted after OPEN',
    invariant: 'NoLostWrite',
    rules: { notedBehindFence: false },
  },
  {
    name: 'asked again for an epoch, the note moves on',
    invariant: 'NoLostWrite',
    rules: { notedOnce: false },
  },
  {
    name: 'a note of an older attempt is taken',
    invariant: 'NoLostWrite',
    rules: { noteKnowsEpoch: false },
    bounds: { attempts: 3 },
  },
  {
    name: 'rows of the journal need neither the newest token nor a row that allows them',
    invariant: 'ReleasedIsServed',
    rules: { journalKnowsToken: false, journalKnowsState: false },
  },
  {
    name: 'rows of the journal need the newest token, but no row that allows them',
    invariant: 'ReleasedIsServed',
    rules: { journalKnowsState: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'no fencing token anywhere, and no last word of an attempt',
    invariant: 'ReleasedIsServed',
    rules: { journalKnowsToken: false, fenceKnowsToken: false, openIsLastWord: false },
  },
  {
    name: 'the fence knows tokens, but not that open is the last word of an attempt',
    invariant: 'ReleasedIsServed',
    rules: { openIsLastWord: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'the fence does not know epochs',
    invariant: 'ReleasedIsServed',
    rules: { fenceKnowsEpoch: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'an abort leaves a fence that is open as it is',
    invariant: 'ReleasedIsServed',
    rules: { abortAlwaysWrites: false },
    bounds: { lostAnswers: true },
  },
  {
    name: 'ids are not handed over',
    invariant: 'NoReusedId',
    rules: { idsHandedOver: false },
    bounds: { writes: 2 },
  },
  {
    name: 'COMMITTED and the phase are two transactions',
    invariant: 'ReleasedIsServed',
    rules: { committedAtOnce: false },
  },
  { name: 'proxies release at COMMITTED', invariant: 'ReleasedIsServed', rules: { releaseAtOpen: false } },
  {
    name: 'nobody takes up the attempt of a coordinator that died',
    invariant: 'Convergence',
    rules: { takenUp: false },
  },
  { name: 'an abort after COMMITTED', invariant: 'SingleAuthority', rules: { abortOnlyBeforeCommit: false } },
  {
    name: 'a write without an answer is sent again',
    invariant: 'NoDuplicate',
    rules: { forwardedOnce: false },
  },
  {
    name: 'two appliers, and neither compares its offset',
    invariant: 'NoDuplicate',
    rules: { offsetCompared: false },
    bounds: { zombieApplier: true },
  },
  {
    name: 'echoes are carried, and open fences let appliers write',
    invariant: 'NoEcho',
    rules: { echoesLeftOut: false, openFenceRefusesAppliers: false },
  },
  {
    name: 'echoes are carried',
    invariant: 'NoEcho',
    rules: { echoesLeftOut: false },
    bounds: { attempts: 3 },
  },
];

/** What can be taken away and no invariant misses it: another rule stands behind each of these. */
export const SECOND_LINES: readonly SeededRule[] = [
  { name: 'the service has no guard', rules: { guard: false }, bounds: { attempts: 3 } },
  { name: 'the fence does not know tokens', rules: { fenceKnowsToken: false } },
  { name: 'rows of the journal need no token', rules: { journalKnowsToken: false } },
  {
    name: 'an open fence lets appliers write',
    rules: { openFenceRefusesAppliers: false },
    bounds: { zombieApplier: true },
  },
  {
    name: 'a note does not raise the incarnation',
    rules: { noteRaisesIncarnation: false },
    bounds: { attempts: 3, zombieApplier: true },
  },
  {
    name: 'no fence on legacy, but every proxy holds and its writes have ended',
    rules: { ...NO_LEGACY_FENCE, waits: 'drained' },
    bounds: CALM,
  },
];
