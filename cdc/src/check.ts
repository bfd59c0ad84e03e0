import { checkPort, type Plan, type Problem } from '@strangler/contracts';

/** Everything that would keep the sync from starting. Changes nothing. */
export async function check(plan: Plan): Promise<readonly Problem[]> {
  return checkPort('sync.admin', plan.sync.admin);
}
