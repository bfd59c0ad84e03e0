import { hostname } from 'node:os';
import { runProgram } from '@strangler/contracts';
import { boundHeap } from './bound-heap.js';
import { check } from './check.js';
import { runDoctor } from './doctor.js';
import { runConnectors } from './run-connectors.js';
import { runLaws } from './run-laws.js';
import { createSync } from './sync.js';

boundHeap();
const argv = process.argv.slice(2);
const output = {
  out: (line: string) => void process.stdout.write(`${line}\n`),
  err: (line: string) => void process.stderr.write(`${line}\n`),
};
if (argv[0] === 'connectors') process.exitCode = await runConnectors(argv.slice(1), process.env, output);
else if (argv[0] === 'doctor') process.exitCode = await runDoctor(argv.slice(1), process.env, output);
else if (argv[0] === 'laws') process.exitCode = await runLaws(argv.slice(1), process.env, output);
else
  await runProgram(
    {
      name: 'strangler-sync',
      check,
      start: (plan, log) => createSync({ plan, log, instance: `sync-${hostname()}-${process.pid}` }),
    },
    argv,
    process.env,
  );
