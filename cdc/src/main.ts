import { hostname } from 'node:os';
import { runProgram } from '@strangler/contracts';
import { boundHeap } from './bound-heap.js';
import { check } from './check.js';
import { runConnectors } from './run-connectors.js';
import { createSync } from './sync.js';

boundHeap();
const argv = process.argv.slice(2);
if (argv[0] === 'connectors')
  process.exitCode = await runConnectors(argv.slice(1), process.env, {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  });
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
