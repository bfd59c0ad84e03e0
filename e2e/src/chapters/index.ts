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
import { report } from './11-report.js';

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
  report,
];
