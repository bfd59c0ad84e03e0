import { parseArgs } from 'node:util';
import { EXIT, loadPlan, problemLine, reasonOf } from '@strangler/contracts';
import { check } from './check.js';
import type { Output } from './run-connectors.js';

const ROWS = 1_000;
const MOST_ROWS = 1_000_000;
const USAGE =
  'write "strangler-sync laws --plan FILE [--rows NUMBER] [--json]", with 1 to 1000000 rows of each table';

/**
 * Tries the mappings of a plan on rows of their sources as they stand, beside a sync that may be running. Resolves with the exit code: 0 every
 * law holds, 2 it does not or the plan is bad, 1 failed.
 */
export async function runLaws(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  { out, err }: Output,
): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      plan: { type: 'string' },
      rows: { type: 'string', default: String(ROWS) },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = Number(values.rows);
  if (values.plan === undefined || !Number.isInteger(rows) || rows < 1 || rows > MOST_ROWS) {
    err(USAGE);
    return EXIT.badInput;
  }
  try {
    const loaded = await loadPlan(values.plan, environment);
    const problems = loaded.ok ? await check(loaded.plan, { rows, isAsked: true }) : loaded.problems;
    if (values.json) out(JSON.stringify({ problems }));
    else for (const problem of problems) err(problemLine(problem));
    return problems.length === 0 ? EXIT.ok : EXIT.badInput;
  } catch (error) {
    err(reasonOf(error));
    return EXIT.failed;
  }
}
