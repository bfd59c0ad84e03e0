import type { IncomingMessage } from 'node:http';
import { type RecopyResult, StranglerError } from '@strangler/contracts';
import { bodyOf } from './body-of.js';
import type { RecopyWish } from './recopy.js';

/** Where a migration takes wishes to copy a table again. */
export type RecopyTaker = { recopy(wish: RecopyWish): Promise<RecopyResult> };

/** Answers `POST /migrations/NAME/recopy`. */
export async function answerRecopy(taker: RecopyTaker, request: IncomingMessage): Promise<RecopyResult> {
  const { table, from, to, dryRun } = await bodyOf(request);
  if (typeof table !== 'string') throw new StranglerError('BODY_INVALID', 400, 'the body names no "table"');
  return taker.recopy({
    table,
    ...(typeof from === 'string' ? { from } : {}),
    ...(typeof to === 'string' ? { to } : {}),
    ...(dryRun === true ? { dryRun: true } : {}),
  });
}
