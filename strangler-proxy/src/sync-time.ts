import type { WatermarkAnswer } from '@strangler/contracts';

/**
 * What a proxy knows of sync's clock by one question and its answer, without any other agreement on the time: Cristian's
 * algorithm ("Probabilistic clock synchronization", 1989) with both times of the server, as in NTP (RFC 5905, 8).
 * All in milliseconds.
 */
export type SyncTime = {
  readonly clock: string;
  /** Sync's clock was ahead of ours by this at most, when the question was sent. */
  readonly most: number;
  readonly sentAt: number;
  /** And by this at least, when the answer came. */
  readonly least: number;
  readonly arrivedAt: number;
};

// Two clocks that are both slewed as far as NTP does it (500 ppm, RFC 5905) drift apart by half of this in a millisecond.
const DRIFT = 0.002;
// What rounding can make of equal times.
const ROUNDED_MS = 1;

/** Undefined when the times contradict each other: one of the clocks stood still meanwhile, as that of a paused machine does. */
export function measure(
  { clock, askedAt, answeredAt }: WatermarkAnswer,
  sentAt: number,
  arrivedAt: number,
): SyncTime | undefined {
  const [most, least] = [askedAt - sentAt, answeredAt - arrivedAt];
  const apart = least - most;
  return apart > ROUNDED_MS + DRIFT * (arrivedAt - sentAt)
    ? undefined
    : { clock, most, sentAt, least, arrivedAt };
}

/** What sync's clock shows at most when ours shows `now`. */
export const latest = ({ most, sentAt }: SyncTime, now: number): number =>
  Math.ceil(now + most + DRIFT * Math.max(0, now - sentAt));

/** What sync's clock shows at least when ours shows `now`. */
export const earliest = ({ least, arrivedAt }: SyncTime, now: number): number =>
  Math.floor(now + least - DRIFT * Math.max(0, now - arrivedAt));
