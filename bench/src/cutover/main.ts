import { parseArgs } from 'node:util';
import type { Servers } from '@strangler/e2e/faults';
import { type CutoverBenchResult, runBench } from './run-bench.js';

/** The program behind `npm run bench:cutover`; the last line is the result. */
export async function main(
  argv: readonly string[],
  start: () => Promise<{ readonly servers: Servers; readonly folder: string }>,
  print: (line: string) => void,
  say: (line: string) => void,
): Promise<CutoverBenchResult> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      cutovers: { type: 'string', default: '30' },
      rate: { type: 'string', default: '500' },
    },
  });
  const result = await runBench({
    ...(await start()),
    cutovers: Number(values.cutovers),
    perSecond: Number(values.rate),
    say,
  });
  if (values.json) print(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) print(`${name}: ${value}`);
  return result;
}
