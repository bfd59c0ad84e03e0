import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A topic that has changes already, or one that a connector writes. */
export type Topic = {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly connector?: { readonly name: string; readonly api: string };
};
/** What the process of the flow is told: URLs of databases. */
export type FlowOrder = { readonly from: string; readonly to: string; readonly topic?: Topic };
export type FlowEnd = { readonly kind: 'ended'; readonly rssMiB: number; readonly cpuSeconds: number };
export type FlowTold =
  | { readonly kind: 'copied'; readonly isDone: boolean }
  | { readonly kind: 'applied'; readonly rows: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | FlowEnd;

export type RunningFlow = {
  /** Resolves when every table is copied, with the clock of this process. */
  readonly copied: Promise<number>;
  /** Resolves when so many rows are applied. */
  applied(rows: number): Promise<number>;
  /** Ends it and answers what it took. */
  stop(): Promise<FlowEnd>;
};

/** Runs the data flow in a process of its own. */
export function startFlow(order: FlowOrder): RunningFlow {
  const child = fork(join(import.meta.dirname, 'flow-process.js'), [JSON.stringify(order)], {
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  });
  const watchers = new Set<(told: FlowTold) => void>();
  const until = (isIt: (told: FlowTold) => boolean): Promise<number> =>
    new Promise((done, fail) => {
      const watch = (told: FlowTold) => {
        if (told.kind === 'failed') fail(new Error(`the flow has failed: ${told.reason}`));
        if (isIt(told)) done(performance.now());
      };
      watchers.add(watch);
      child.once('exit', () => fail(new Error('the flow has ended')));
    });
  let end: FlowEnd | undefined;
  child.on('message', (told: FlowTold) => {
    if (told.kind === 'ended') end = told;
    for (const watch of watchers) watch(told);
  });
  const copied = until((told) => told.kind === 'copied' && told.isDone);
  copied.catch(() => {});
  return {
    copied,
    applied: (rows) => until((told) => told.kind === 'applied' && told.rows >= rows),
    async stop() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        child.send('end');
        await gone;
      }
      if (!end) throw new Error('the flow has ended without a word');
      return end;
    },
  };
}
