import type { Plan } from '@strangler/contracts';
import type { CutoverOrder } from './real-steps.js';
import { type CutoverSteps, done } from './steps.js';
import { describeSteps } from './steps-left.js';

/** Says what would be done, and does nothing. */
export function dryRunSteps(
  { unit, from, to }: Pick<CutoverOrder, 'unit' | 'from' | 'to'>,
  plan: Plan,
): CutoverSteps {
  const said = describeSteps({ members: unit.members, from, to }, plan);
  const say = (step: keyof CutoverSteps) => async () => done(`would ${said[step]}`);
  return {
    prepare: say('prepare'),
    hold: say('hold'),
    fence: say('fence'),
    catchUp: say('catchUp'),
    verify: say('verify'),
    open: say('open'),
    release: say('release'),
    reverse: say('reverse'),
    reopen: say('reopen'),
  };
}
