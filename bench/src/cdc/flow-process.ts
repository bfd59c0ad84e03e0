// The process of the data flow, alone, as the other parts see it: forked with where from and where to, it tells what it does over IPC.
import { binlogSource, boundHeap, databaseOf } from '@strangler/cdc';
import { runFlow } from './run-flow.js';
import { sourceOfTopic } from './topic-source.js';
import type { FlowOrder, FlowTold } from './start-flow.js';

boundHeap();
const order = JSON.parse(process.argv[2] ?? '{}') as FlowOrder;
const from = databaseOf('legacy', order.from);
const end = new AbortController();
const tell = (told: FlowTold) => process.send?.(told);
process.on('disconnect', () => process.exit(1));
process.on('message', () => end.abort());

let rows = 0;
try {
  await runFlow(
    {
      from,
      to: databaseOf('service', order.to),
      sourceOf: (tables) =>
        order.topic ? sourceOfTopic(from, tables, order.topic) : binlogSource({ database: from, tables }),
      observer: {
        onProgress: (progress) =>
          tell({ kind: 'copied', isDone: [...progress.values()].every(({ done }) => done) }),
        onApplied: (applied) => tell({ kind: 'applied', rows: (rows += applied.rows) }),
      },
    },
    end.signal,
  );
} catch (error) {
  tell({ kind: 'failed', reason: String(error) });
}
const { maxRSS } = process.resourceUsage();
const { user, system } = process.cpuUsage();
process.send?.({ kind: 'ended', rssMiB: Math.round(maxRSS / 1024), cpuSeconds: (user + system) / 1e6 }, () =>
  process.exit(),
);
