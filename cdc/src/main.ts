import { hostname } from 'node:os';
import { runProgram } from '@strangler/contracts';
import { check } from './check.js';
import { createSync } from './sync.js';

await runProgram(
  {
    name: 'strangler-sync',
    check,
    start: (plan, log) => createSync({ plan, log, instance: `sync-${hostname()}-${process.pid}` }),
  },
  process.argv.slice(2),
  process.env,
);
