import { hostname } from 'node:os';
import { runProgram } from '@strangler/contracts';
import { boundHeap } from './bound-heap.js';
import { check } from './check.js';
import { createSync } from './sync.js';

boundHeap();
await runProgram(
  {
    name: 'strangler-sync',
    check,
    start: (plan, log) => createSync({ plan, log, instance: `sync-${hostname()}-${process.pid}` }),
  },
  process.argv.slice(2),
  process.env,
);
