import type { IncomingMessage } from 'node:http';
import type { RepairResult, Verification } from '@strangler/contracts';
import { bodyOf } from './body-of.js';
import type { RepairWish } from './repair-drift.js';
import type { VerifyWish } from './verify.js';

/** Where a migration is verified, and what differs is repaired. */
export type Verifier = {
  verify(wish: VerifyWish): Promise<Verification>;
  repair(wish: RepairWish): Promise<RepairResult>;
};

/** Answers `POST /migrations/NAME/verify` and `/repair`. */
export async function answerVerify(
  verifier: Verifier,
  request: IncomingMessage,
  verb: string,
): Promise<Verification | RepairResult> {
  const { afresh, exact, dryRun, by } = await bodyOf(request);
  return verb === 'verify'
    ? verifier.verify({ ...(afresh === true ? { afresh } : {}), ...(exact === true ? { exact } : {}) })
    : verifier.repair({ dryRun: dryRun === true, ...(typeof by === 'string' ? { by } : {}) });
}
