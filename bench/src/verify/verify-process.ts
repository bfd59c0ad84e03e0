// The process of the data flow with a verification when it is asked for one, alone, as strangler-sync runs both.
import { binlogSource, boundHeap, databaseOf, type Flow, noStopPoints, verify } from '@strangler/cdc';
import { runFlow } from '../cdc/run-flow.js';
import type { VerifyOrder, VerifyTold } from './start-verifying.js';

boundHeap();
const order = JSON.parse(process.argv[2] ?? '{}') as VerifyOrder;
const [from, to] = [databaseOf('legacy', order.from), databaseOf('service', order.to)];
const end = new AbortController();
const tell = (told: VerifyTold) => process.send?.(told);
let flow: Flow | undefined;

const look = async () => {
  const startedAt = performance.now();
  const verification = await verify(
    {
      stream: 'bench',
      from,
      to,
      flow: flow as Flow,
      chunkRows: 1_000,
      clock: Date.now,
      stopPoints: noStopPoints,
      afresh: true,
    },
    end.signal,
  );
  tell({ kind: 'verified', milliseconds: performance.now() - startedAt, verification });
};
process.on('disconnect', () => process.exit(1));
process.on('message', (wish) => {
  if (wish === 'verify') look().catch((error: unknown) => tell({ kind: 'failed', reason: String(error) }));
  else end.abort();
});

try {
  await runFlow(
    {
      from,
      to,
      sourceOf: (tables) => binlogSource({ database: from, tables }),
      observer: {
        onFlow: (running) => (flow = running),
        onProgress: (progress) => {
          if ([...progress.values()].every(({ done }) => done)) tell({ kind: 'copied' });
        },
      },
    },
    end.signal,
  );
} catch (error) {
  tell({ kind: 'failed', reason: String(error) });
}
const { maxRSS } = process.resourceUsage();
process.send?.({ kind: 'ended', rssMiB: Math.round(maxRSS / 1024) } satisfies VerifyTold, () =>
  process.exit(),
);
