import type { Plan, Problem } from '@strangler/contracts';
import { checkPackets, checkServer } from './check-server.js';
import { checkTransactions } from './check-transactions.js';
import { migrationsOf, type Side } from './sides.js';

export type SurveyLimits = {
  /** Seconds from which on an open transaction is told. */
  readonly longTransactionS: number;
};
export const LIMITS: SurveyLimits = { longTransactionS: 60 };

/** What keeps no sync from starting and is better known before: asked by the doctor alone, so that a start stays short. */
export async function survey(
  plan: Plan,
  sides: ReadonlyMap<string, Side>,
  limits: SurveyLimits,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [name, side] of sides) {
    problems.push(...(await checkServer(plan, name, side)));
    problems.push(...(await checkTransactions(side, limits.longTransactionS)));
  }
  const pairs = new Map(migrationsOf(plan).map(({ data }) => [`${data.from} ${data.to}`, data]));
  for (const { from, to } of pairs.values()) {
    const [source, target] = [sides.get(from), sides.get(to)];
    if (source && target) problems.push(...(await checkPackets(source, target)));
  }
  return problems;
}
