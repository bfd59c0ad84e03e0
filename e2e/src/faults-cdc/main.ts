import { parseArgs } from 'node:util';
import { reasonOf } from '@strangler/contracts';
import type { Run } from './run.js';
import { search } from './search.js';
import type { Servers } from './stand.js';

const USAGE = 'usage: npm run faults:cdc -- [--runs N] [--seed S] [--json] [--source binlog|kafka]';

/** The program behind `npm run faults:cdc`; answers its exit code: 0 nothing found, 1 something, 2 not asked rightly. */
export async function searchFaults(
  argv: readonly string[],
  startServers: () => Promise<Servers>,
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
        source: { type: 'string', default: 'binlog' },
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
  if (values.source !== 'binlog' && values.source !== 'kafka') {
    print(`the source "${values.source}" cannot be searched: say "binlog" or "kafka"; ${USAGE}`);
    return 2;
  }
  const result = await search({
    servers: await startServers(),
    runs,
    seed,
    onRun: (run) => {
      if (!values.json) print(lineOf(run));
    },
  });
  for (const run of result.found) print(JSON.stringify(run));
  const { found, ...numbers } = result;
  print(JSON.stringify(numbers));
  return found.length > 0 ? 1 : 0;
}

function lineOf(run: Run): string {
  const found = [...run.lost, ...run.duplicated, ...run.halfSeen, ...run.stuck];
  return `seed ${run.seed}: ${run.committed} writes, ${run.looks} looks, ${run.faults.join(', ')}: ${found.length === 0 ? 'nothing found' : found.join('; ')}`;
}
