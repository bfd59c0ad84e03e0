import { parseArgs } from 'node:util';
import { CASES } from './bench-plan.js';
import { CONTENDERS, type ContenderName } from './contender.js';
import { runBench } from './run-bench.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    cases: { type: 'string' },
    contenders: { type: 'string' },
    soak: { type: 'string' },
    before: { type: 'string' },
  },
});
const { quick } = values;
const listed = (text: string | undefined, all: readonly string[]): readonly string[] =>
  text === undefined ? all : all.filter((each) => text.split(',').includes(each));
const cases = listed(
  values.cases ?? (quick ? 'small' : undefined),
  CASES.map(({ name }) => name),
);

const result = await runBench({
  cases: CASES.filter(({ name }) => cases.includes(name)),
  contenders: listed(values.contenders, CONTENDERS) as readonly ContenderName[],
  rounds: Number(values.rounds ?? (quick ? 1 : 5)),
  seconds: Number(values.seconds ?? (quick ? 1 : 2)),
  soakRequests: Number(values.soak ?? (quick ? 12_000 : 300_000)),
  mayInstall: !quick,
  warmUp: !quick,
  before: values.before,
  path: process.env['PATH'] ?? '',
  // With --json the object is the last line of the standard output; what is told on the way does not mix with it.
  tell: (line) => void process.stderr.write(`${line}\n`),
});
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${value}\n`);
