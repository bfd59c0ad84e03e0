import { CUTOVER_STATES, SIDES, type CutoverState, type Side } from '@strangler/contracts';

/** A state of everything, in bytes: who wants one of them asks by these places. */
export type World = Uint8Array;

export const [LEGACY, SERVICE] = [0, 1] as const;
export type SideNumber = 0 | 1;
export const sideOf = (side: number): Side => SIDES[side]!;
export const numberOf = (side: Side): SideNumber => (side === 'legacy' ? LEGACY : SERVICE);
export const other = (side: number): SideNumber => (side === LEGACY ? SERVICE : LEGACY);

export const MOST_WRITES = 3;
/** Twice as many as there are writes: a bug may bring a row twice. */
const LOG_ROOM = 2 * MOST_WRITES;
const COORDINATOR_BYTES = 6;
export const NONE = 255;
export const VOID = 64;

let size = 0;
const take = (bytes: number) => (size += bytes) - bytes;

/** Bits of what went wrong on the way here; the word is the invariant's. */
export const WRONG = take(1);
export const WRONGS = ['NoEcho', 'NoDuplicate', 'NoReusedId', 'SingleAuthority'] as const;
/** The side that the ledger's phase lets serve writes. */
export const PHASE = take(1);
export const JOURNAL = { epoch: take(1), state: take(1), from: take(1) };
/** The newest token of the lease. */
export const LEASE = take(1);
/** The one that has the lease, and one that had it and does not know that it is over. */
export const [LEADER, ZOMBIE] = [take(COORDINATOR_BYTES), take(COORDINATOR_BYTES)];
/** What a coordinator believes; `done`: effects of that state that are done; `mark`: what reach waits for. */
export const COORDINATOR = { token: 0, epoch: 1, state: 2, from: 3, done: 4, mark: 5 };
export const COORDINATOR_SIZE = COORDINATOR_BYTES;
/** By the side. */
export const FENCE = { closed: take(2), epoch: take(2), token: take(2) };
/** A statement that nobody waits for any more; kind 0: none, 1: close a fence, 2: open one, 3: a row of the journal, whose state stands in place of the side. */
export const STRAGGLER = { kind: take(1), side: take(1), epoch: take(1), token: take(1), from: take(1) };
/** By the side a stream reads: how far, the epoch of its note, and the entry that a second applier has in hand, with VOID once the row of the offset has changed. */
export const STREAM = { offset: take(2), epoch: take(2), hand: take(2) };
/** By the side: the next id; and a bit for each that was ever given, 1 << id. */
export const COUNTER = take(2);
export const USED_IDS = take(1);
/** By the side: entries of its log, oldest first: number of the write + 1, and CARRIED if an applier wrote it. */
export const LENGTH = take(2);
export const LOG = [take(LOG_ROOM), take(LOG_ROOM)] as const;
export const CARRIED = 16;
/** By the proxy: the routing state it has. */
export const KNOWN = take(2);
/** The routing states that were ever published, a bit for each. */
export const PUBLISHED = take(2);
/** By the write. */
export const WRITE = {
  stage: take(MOST_WRITES),
  /** The proxy, or the side. */
  at: take(MOST_WRITES),
  /** Of its header; NONE: it came past the proxies. */
  epoch: take(MOST_WRITES),
  id: take(MOST_WRITES),
  /** The side a second copy is on its way to, + 1. */
  copy: take(MOST_WRITES),
};
export const SIZE = size;

/** `acknowledged`: its client was told that it is done; `over`: its client was told no, or nothing. */
export const STAGE = { idle: 0, atProxy: 1, onItsWay: 2, open: 3, acknowledged: 4, over: 5 } as const;

export const stateOf = (byte: number): CutoverState | null => (byte === 0 ? null : CUTOVER_STATES[byte - 1]!);
export const byteOf = (state: CutoverState): number => CUTOVER_STATES.indexOf(state) + 1;

/** What a routing state says of the migration: side, hold, epoch. */
export const routing = (side: number, hold: boolean, epoch: number) => side | (hold ? 2 : 0) | (epoch << 2);
export const sideIn = (known: number): SideNumber => ((known & 1) === 0 ? LEGACY : SERVICE);
export const holdsIn = (known: number) => (known & 2) !== 0;
export const epochIn = (known: number) => known >> 2;

export const writeIn = (entry: number) => (entry & (CARRIED - 1)) - 1;
export const isCarried = (entry: number) => (entry & CARRIED) !== 0;
export const hasWrong = (world: World, word: (typeof WRONGS)[number]) => {
  world[WRONG]! |= 1 << WRONGS.indexOf(word);
};

export function append(world: World, side: number, entry: number): void {
  const length = world[LENGTH + side]!;
  for (let at = 0; at < length; at += 1)
    if (writeIn(world[LOG[side as SideNumber] + at]!) === writeIn(entry)) hasWrong(world, 'NoDuplicate');
  if (length === LOG_ROOM) throw new Error('the log of a side is full: its bounds are wrong');
  world[LOG[side as SideNumber] + length] = entry;
  world[LENGTH + side] = length + 1;
}

export function beginning(): World {
  const world = new Uint8Array(SIZE);
  world[FENCE.closed + SERVICE] = 1;
  world.set([0, NONE], STREAM.offset);
  world.fill(NONE, STREAM.hand, STREAM.hand + 2);
  world.set([1, 1], COUNTER);
  world[LEASE] = 1;
  world[LEADER + COORDINATOR.token] = 1;
  const known = routing(LEGACY, false, 0);
  world.fill(known, KNOWN, KNOWN + 2);
  world[PUBLISHED] = 1 << known;
  return world;
}
