import type { Chapter } from '../story.js';
import { everythingOnLegacy } from './01-everything-on-legacy.js';
import { backfillAndTail } from './02-backfill-and-tail.js';
import { verifyTheCopy } from './03-verify.js';
import { shadowFindsTheBug } from './04-shadow-finds-the-bug.js';
import { repaired } from './05-repaired.js';
import { canary } from './06-canary.js';
import { editIsSeen } from './07-edit-is-seen.js';
import { serviceIsKilled } from './08-service-is-killed.js';
import { rollback } from './09-rollback.js';
import { andOutAgain } from './10-and-out-again.js';
import { ordersFollow } from './11-orders-follow.js';
import { ordersLeave } from './12-orders-leave.js';
import { bothHaveThem } from './13-both-have-them.js';
import { ordersComeBack } from './14-orders-come-back.js';
import { andLeaveForGood } from './15-and-leave-for-good.js';
import { report } from './16-report.js';

/** The story of a capability that leaves a monolith, comes back and leaves again, in order. */
export const CHAPTERS: readonly Chapter[] = [
  everythingOnLegacy,
  backfillAndTail,
  verifyTheCopy,
  shadowFindsTheBug,
  repaired,
  canary,
  editIsSeen,
  serviceIsKilled,
  rollback,
  andOutAgain,
  ordersFollow,
  ordersLeave,
  bothHaveThem,
  ordersComeBack,
  andLeaveForGood,
  report,
];
