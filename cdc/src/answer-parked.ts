import type { IncomingMessage } from 'node:http';
import { type ParkedKey, type ParkedKeys, type ParkingResult, StranglerError } from '@strangler/contracts';
import { bodyOf } from './body-of.js';
import { reasonMissing } from './errors.js';
import type { ParkingWish } from './repair.js';

/** The parking lot of a migration. */
export type Parking = {
  parked(): readonly ParkedKey[];
  settleParked(wish: ParkingWish): Promise<ParkingResult>;
};

/** Answers `/migrations/NAME/parked`, by POST with `/retry` or `/discard` behind it. */
export async function answerParked(
  parking: Parking,
  request: IncomingMessage,
  verb: string | undefined,
): Promise<ParkedKeys | ParkingResult> {
  const method = verb === undefined ? 'GET' : 'POST';
  if (request.method !== method)
    throw new StranglerError('METHOD_NOT_ALLOWED', 405, `parked keys are asked by ${method} here`);
  if (verb === undefined) return { keys: parking.parked() };
  const { key, why, by, dryRun } = await bodyOf(request);
  const wish: ParkingWish = {
    ...(typeof key === 'string' ? { key } : {}),
    ...(dryRun === true ? { dryRun: true } : {}),
  };
  if (verb === 'retry') return parking.settleParked(wish);
  if (typeof why !== 'string' || why.trim() === '') throw reasonMissing();
  return parking.settleParked({
    ...wish,
    discard: { why: why.slice(0, 1_000), by: typeof by === 'string' ? by.slice(0, 200) : 'unknown' },
  });
}
