import { parseArgs } from 'node:util';
import {
  bySeverity,
  EXIT,
  type Finding,
  loadPlan,
  type Plan,
  type Problem,
  problemLine,
  reasonOf,
} from '@strangler/contracts';
import { checkSides } from './check.js';
import type { Output } from './run-connectors.js';
import { toldOnce } from './same-server.js';
import { severityOf } from './severity.js';
import { withSides } from './sides.js';
import { LIMITS, survey, type SurveyLimits } from './survey.js';

/**
 * Everything that is wrong with the databases of a plan, or may become so, the most severe first. What refuses is exactly what keeps sync from starting. `whole` is the plan of
 * which `plan` has some of the migrations.
 */
export async function examine(
  plan: Plan,
  limits: Partial<SurveyLimits> = {},
  whole: Plan = plan,
): Promise<readonly Finding[]> {
  const problems = await withSides(plan, async (sides, unreachable) => {
    const checked = await checkSides(plan, sides, { rows: 1_000, isAsked: true }, whole);
    const seen = await survey(plan, sides, { ...LIMITS, ...limits });
    return toldOnce([...unreachable, ...checked, ...seen], sides);
  });
  return problems.filter(isNews(problems)).map(found).toSorted(bySeverity);
}

/** What all rows have told is not told again of a few of them. */
const isNews =
  (all: readonly Problem[]) =>
  ({ code, path }: Problem): boolean =>
    code !== 'VALUE_UNMAPPED' ||
    !all.some((each) => each.code.startsWith('ROW_') && each.path.startsWith(`${path}.columns.`));

const found = (problem: Problem): Finding => ({ ...problem, severity: severityOf(problem.code) });

/**
 * `doctor --plan FILE [--migration NAME] [--json]`: prints the findings, with `--json` as `{findings}` or, of a plan that is not right, `{problems}`. Resolves
 * with the exit code: 0 nothing refuses, 1 failed, 2 something refuses, or bad input.
 */
export async function runDoctor(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  { out, err }: Output,
): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      plan: { type: 'string' },
      migration: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.plan === undefined) {
    err('write "strangler-sync doctor --plan FILE [--migration NAME] [--json]"');
    return EXIT.badInput;
  }
  try {
    const loaded = await loadPlan(values.plan, environment);
    if (!loaded.ok) {
      if (values.json) out(JSON.stringify({ problems: loaded.problems }));
      else for (const problem of loaded.problems) err(problemLine(problem));
      return EXIT.badInput;
    }
    const { migration } = values;
    const migrations = Object.entries(loaded.plan.migrations).filter(
      ([name]) => migration === undefined || name === migration,
    );
    if (migration !== undefined && migrations.length === 0) {
      err(`migration "${migration}" is not in the plan`);
      return EXIT.badInput;
    }
    const findings = await examine(
      { ...loaded.plan, migrations: Object.fromEntries(migrations) },
      {},
      loaded.plan,
    );
    if (values.json) out(JSON.stringify({ findings }));
    else for (const finding of findings) out(`${finding.severity} ${problemLine(finding)}`);
    return findings.some(({ severity }) => severity === 'refuses') ? EXIT.badInput : EXIT.ok;
  } catch (error) {
    err(reasonOf(error));
    return EXIT.failed;
  }
}
