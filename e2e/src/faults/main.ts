import { parseArgs } from 'node:util';
import { reasonOf } from '@strangler/contracts';
import { isRunClean, type Run } from './run.js';
import { search } from './search.js';
import type { Servers } from './stage.js';

const USAGE = 'usage: npm run faults -- [--runs N] [--seed S] [--json]';
const SHOWN = 5;

export type Place = { readonly servers: Servers; readonly folder: string };

/** The program behind `npm run faults`; answers its exit code: 0 nothing found, 1 something, 2 not asked rightly. */
export async function searchCutoverFaults(
  argv: readonly string[],
  start: () => Promise<Place>,
  print: (line: string) => void,
): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        runs: { type: 'string', default: '20' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    print(`${reasonOf(error)}; ${USAGE}`);
    return 2;
  }
  const [runs, seed] = [Number(values.runs), Number(values.seed ?? Date.now() % 1e9)];
  if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed) || seed < 0) {
    print(`--runs takes a number from 1, --seed one from 0; ${USAGE}`);
    return 2;
  }
  const { found, ...numbers } = await search({
    ...(await start()),
    runs,
    seed,
    onRun: (run) => {
      if (!values.json) print(lineOf(run));
      if (!isRunClean(run)) for (const sentence of run.timeline) print(`  ${sentence}`);
    },
  });
  for (const { timeline: _, ...run } of found) print(JSON.stringify(run));
  print(JSON.stringify(numbers));
  return found.length > 0 ? 1 : 0;
}

function lineOf(run: Run): string {
  const { lost, duplicated, doubleAuthority, orderViolations, stuck, writes } = run;
  const found = [...lost, ...duplicated, ...doubleAuthority, ...orderViolations, ...stuck];
  const counts = `${writes.ok} writes acknowledged, ${writes.refused} refused, ${writes.unknown} unknown, ${run.looks} looks`;
  return `seed ${run.seed}: ${counts}: ${found.length === 0 ? 'nothing found' : found.slice(0, SHOWN).join('; ')}`;
}
