import { isOver, writesServedBy } from '@strangler/contracts';
import type { MigrationReport } from './report.js';
import { moment } from './words.js';

/** Which side has the writes, and what became of the newest attempt to move them; one sentence. */
export function writesText({ phase, cutover }: Pick<MigrationReport, 'phase' | 'cutover'>): string {
  const side = `on the ${writesServedBy(phase)}`.replace('the legacy', 'legacy');
  if (cutover === null) return `${side}, never moved`;
  const { epoch, state, to, at, note } = cutover;
  const attempt = `${to === 'legacy' ? 'rollback' : 'cutover'} ${epoch}`;
  if (!isOver(state)) return `changing sides: ${attempt} is "${state}" since ${moment(at)}`;
  return state === 'ABORTED'
    ? `${side}; ${attempt} was broken off at ${moment(at)} (${note})`
    : `${side}, since ${attempt} at ${moment(at)}`;
}
