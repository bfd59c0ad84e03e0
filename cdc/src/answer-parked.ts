import type { IncomingMessage } from 'node:http';
import { type ParkedKey, type ParkedKeys, type ParkingResult, StranglerError } from '@strangler/contracts';
import { reasonMissing } from './errors.js';
import type { ParkingWish } from './repair.js';

/** The parking lot of a migration. */
export type Parking = {
  parked(): readonly ParkedKey[];
  settleParked(wish: ParkingWish): Promise<ParkingResult>;
};

const MAX_BODY = 65_536;

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
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new StranglerError('CONTENT_TYPE', 415, 'a POST needs the header "content-type: application/json"');
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

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_BODY) break;
  }
  try {
    const body: unknown = JSON.parse(text);
    if (body !== null && typeof body === 'object') return body as Record<string, unknown>;
  } catch {
    // Told below, as for a body of another shape.
  }
  throw new StranglerError('BODY_INVALID', 400, 'the body is not a JSON object');
}
