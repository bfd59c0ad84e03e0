import type { CutoverState, Plan } from '@strangler/contracts';
import type { Cutover } from '../ledger/fold.js';
import { unitOf } from '../transition/unit.js';
import { WAYS } from './advance-state.js';
import { cutoverRules } from './cutover-rules.js';
import type { CutoverSteps } from './steps.js';

/** What has yet to be done until an attempt is over, one sentence each, in order. */
export function stepsLeft(
  { state, from, to }: Pick<Cutover, 'state' | 'from' | 'to'>,
  plan: Pick<Plan, 'migrations' | 'groups'>,
  migration: string,
): readonly string[] {
  const said = describeSteps({ members: unitOf(plan, migration).members, from, to }, plan);
  const left: string[] = [];
  for (let now: CutoverState | undefined = state; now; now = WAYS[now]?.next)
    for (const step of WAYS[now]?.steps ?? []) left.push(said[step]);
  return left;
}

/** Each step in words. */
export function describeSteps(
  { members, from, to }: Pick<Cutover, 'from' | 'to'> & { readonly members: readonly string[] },
  plan: Pick<Plan, 'migrations'>,
): Readonly<Record<keyof CutoverSteps, string>> {
  const rules = cutoverRules(plan, members);
  const named = members.map((member) => `"${member}"`).join(', ');
  return {
    prepare: `set the id counters of the ${to} ${rules.idGap} ahead of those of the ${from}`,
    hold: `have every proxy hold new writes of ${named}, and wait ${rules.drainMs} ms at most for those on their way`,
    fence: `close the fence of the ${from}, and wait ${rules.fenceMs} ms at most for open transactions`,
    catchUp: `wait ${rules.catchUpMs} ms at most until the ${to} has everything`,
    verify: `compare the newest ${rules.tailRows} rows of each table, check the ids, and note where the stream from the ${to} begins`,
    open: `give the ${to} the authority and open its fence`,
    release: `send held and new writes to the ${to}`,
    reverse: `carry what is written to the ${to} back to the ${from}`,
    reopen: `open the fence of the ${from} again`,
  };
}
