import { isSigned, sign } from '@strangler/contracts';
import type { SyncTime } from './sync-time.js';
import { earliest, latest } from './sync-time.js';

/** A write that legacy has answered, as its client carries it. */
export type Write = {
  /** Whose clock `at` is of; empty when nobody could say the time, then it counts until the ceiling. */
  readonly clock: string;
  /** When it was committed at the latest, by that clock; whole milliseconds. */
  readonly at: number;
  /** When the proxy saw its answer, by the proxy's own clock; whole milliseconds. */
  readonly seenAt: number;
};

const PURPOSE = 'wrote';
// Clocks of replicas that are further apart than this have other problems. It only bounds how long a client can go on
// showing a token that its browser should have forgotten: the ceiling itself is the age of the cookie.
const MOST_SKEW_MS = 60_000;

/** A write whose answer has just come: committed before, so its time is what sync's clock shows now at most. */
export const writeAt = (time: SyncTime | undefined, now: number): Write => ({
  clock: time?.clock ?? '',
  at: time ? latest(time, now) : 0,
  seenAt: Math.floor(now),
});

/** One that nobody can say the time of: its answer never came, or only sync's lost clock would know. */
export const writeUnknown = (now: number): Write => ({ clock: '', at: 0, seenAt: Math.floor(now) });

/** One write that counts until both have passed. Times of two clocks cannot be compared, so then it is the ceiling that ends it. */
export function laterOf(one: Write | undefined, other: Write): Write {
  if (!one) return other;
  const seenAt = Math.max(one.seenAt, other.seenAt);
  return one.clock === other.clock
    ? { clock: other.clock, at: Math.max(one.at, other.at), seenAt }
    : writeUnknown(seenAt);
}

export function printWrite(secret: string, { clock, at, seenAt }: Write): string {
  const text = `${clock}.${at.toString(36)}.${seenAt.toString(36)}`;
  return `${text}.${sign(secret, PURPOSE, text)}`;
}

/** Undefined when it is forged. */
export function parseWrite(secret: string, token: string): Write | undefined {
  const [clock = '', at = '', seenAt = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || !isSigned(secret, PURPOSE, `${clock}.${at}.${seenAt}`, signature)) return undefined;
  return { clock, at: parseInt(at, 36), seenAt: parseInt(seenAt, 36) };
}

/** What a proxy knows when it is asked about a write. */
export type Knowledge = {
  readonly now: number;
  readonly ceilingMs: number;
  readonly time: SyncTime | undefined;
  /** By the clock of `time`; null: nobody can say. */
  readonly appliedUntil: number | null;
};

/** `waiting`: the service may not have it yet; `passed`: the service has it; `over`: too old to count. */
export type WriteState = 'waiting' | 'passed' | 'over';

export function stateOf(
  { clock, at, seenAt }: Write,
  { now, ceilingMs, time, appliedUntil }: Knowledge,
): WriteState {
  const isSameClock = time !== undefined && clock === time.clock;
  if (isSameClock && appliedUntil !== null && appliedUntil > at) return 'passed';
  if (isSameClock && earliest(time, now) - at > ceilingMs) return 'over';
  return Math.abs(now - seenAt) > ceilingMs + MOST_SKEW_MS ? 'over' : 'waiting';
}
