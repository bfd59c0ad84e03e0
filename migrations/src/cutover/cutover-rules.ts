import type { CutoverRules, Plan } from '@strangler/contracts';

/** The rules of migrations that change sides as one: the strictest gate, and the longest wait that any of them asks for. */
export function cutoverRules(plan: Pick<Plan, 'migrations'>, members: readonly string[]): CutoverRules {
  const all = members.flatMap((member) => plan.migrations[member]?.cutover ?? []);
  const most = (key: Exclude<keyof CutoverRules, 'approval'>) => Math.max(...all.map((rules) => rules[key]));
  return {
    drainMs: most('drainMs'),
    fenceMs: most('fenceMs'),
    catchUpMs: most('catchUpMs'),
    verifyMs: most('verifyMs'),
    tailRows: most('tailRows'),
    maxTransactionMs: Math.min(...all.map((rules) => rules.maxTransactionMs)),
    idGap: most('idGap'),
    approval: all.some((rules) => rules.approval),
    quietDays: most('quietDays'),
  };
}

/** Longest that writes are held before the point of no return: every step to its deadline, and the answers in between. */
export const longestHoldMs = ({ drainMs, fenceMs, catchUpMs, verifyMs }: CutoverRules): number =>
  drainMs + fenceMs + catchUpMs + verifyMs + 5_000;
