import { placeText } from '../transition/move.js';
import type { Moved } from '../transition/control.js';
import { gateLines } from './fail.js';

/** What an advance or a rollback did, in the order it was done. */
export const movedText = (moved: Moved): string =>
  [
    `${moved.migration}${moved.members.length > 1 ? ` (${moved.members.join(', ')})` : ''}: ${placeText(moved.from, moved.shareFrom)} -> ${placeText(moved.to, moved.shareTo)}${moved.dryRun ? ' (dry run, nothing is changed)' : ''}${moved.forced ? ' (forced)' : ''}\n`,
    `${moved.consequence}\n`,
    gateLines(moved.gates),
    ...moved.steps.map((step) => `- ${step}\n`),
  ].join('');
