import { placeText } from '../transition/move.js';
import type { Moved } from '../transition/control.js';
import type { Retired } from '../transition/retire.js';
import { gateLines } from './fail.js';

/** What an advance or a rollback did, in the order it was done. */
export const movedText = (moved: Moved): string =>
  [
    `${moved.migration}${moved.members.length > 1 ? ` (${moved.members.join(', ')})` : ''}: ${placeText(moved.from, moved.shareFrom)} -> ${placeText(moved.to, moved.shareTo)}${moved.dryRun ? ' (dry run, nothing is changed)' : ''}${moved.forced ? ' (forced)' : ''}\n`,
    `${moved.consequence}\n`,
    gateLines(moved.gates),
    ...moved.steps.map((step) => `- ${step}\n`),
    ...(moved.heldMs === undefined ? [] : [`writes were held for ${moved.heldMs} ms\n`]),
  ].join('');

/** The same of what was retired, with what people may take away now. */
export const retiredText = (retired: Retired): string =>
  [movedText(retired), 'may go now:\n', ...retired.checklist.map((line) => `- ${line}\n`)].join('');
