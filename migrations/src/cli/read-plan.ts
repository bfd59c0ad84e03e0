import { loadPlan, type Plan, type Problem } from '@strangler/contracts';

/** A plan with problems: they are all told, and nothing is done. */
export class PlanBroken extends Error {
  override readonly name = 'PlanBroken';
  readonly file: string;
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[]) {
    super(`plan "${file}" has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
    this.file = file;
    this.problems = problems;
  }
}

export async function readPlan(file: string, environment: NodeJS.ProcessEnv): Promise<Plan> {
  return (await readPlanAndWarnings(file, environment)).plan;
}

/** The plan with what in it is allowed and seldom meant. */
export async function readPlanAndWarnings(
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }> {
  const loaded = await loadPlan(file, environment);
  if (!loaded.ok) throw new PlanBroken(file, loaded.problems);
  return { plan: loaded.plan, warnings: loaded.warnings() };
}
