import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Plan, ReadyMessage, Running } from '@strangler/contracts';
import { workersFailed } from './errors.js';
import type { PlanSource } from './plan-file.js';

const WORKER = 'STRANGLER_WORKER';
const LEAST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 30_000;

/** Which worker this process is, counted from 0; undefined for the process that was started by hand. */
export const workerIn = (environment: NodeJS.ProcessEnv): number | undefined =>
  environment[WORKER] === undefined ? undefined : Number(environment[WORKER]);

/** The plan as one worker reads it: the n-th has the n-th admin port behind that of the plan, so each can be asked by itself. */
export const planOfWorker = (plan: Plan, worker: number): Plan => {
  const { admin } = plan.proxy;
  const port = admin.port === 0 ? 0 : admin.port + worker;
  return { ...plan, proxy: { ...plan.proxy, admin: { ...admin, port } } };
};

export const sourceOfWorker = (source: PlanSource, worker: number): PlanSource => ({
  ...source,
  async load() {
    const loaded = await source.load();
    return loaded.ok ? { ...loaded, plan: planOfWorker(loaded.plan, worker) } : loaded;
  },
});

/**
 * One process for each core: `proxy.workers` processes of this program behind one port. Each is a proxy of its own for the control plane and for
 * Prometheus. One that ends unasked is started again. Throws PROXY_WORKERS_FAILED when one of them cannot start at all.
 */
export async function runWorkers(plan: Plan, log: Logger): Promise<Running> {
  const running = new Map<number, Worker>();
  let isStopping = false;

  const start = async (index: number): Promise<Readonly<Record<string, string>>> => {
    const worker = cluster.fork({ [WORKER]: String(index) });
    running.set(index, worker);
    let isReady = false;
    const left = once(worker, 'exit').then(([code, signal]) => {
      running.delete(index);
      if (!isReady) throw workersFailed(index, String(signal ?? code));
      if (!isStopping) revive(index, `ended with ${String(signal ?? code)}`);
      return {};
    });
    const ready = new Promise<Readonly<Record<string, string>>>((done) => {
      worker.on('message', (message: ReadyMessage) => {
        if (!message.ready) return;
        isReady = true;
        done(message.urls);
      });
    });
    return Promise.race([ready, left]);
  };
  /** The pause doubles with each failure in a row: a worker that cannot run must not take the machine from those that can. */
  const revive = (index: number, reason: string, pause = LEAST_BACKOFF_MS): void => {
    log.error({ worker: index }, `worker ${index} ${reason} and is started again`);
    void delay(pause, undefined, { ref: false })
      .then(() => (isStopping ? undefined : start(index)))
      .catch(() => revive(index, 'could not start', Math.min(MOST_BACKOFF_MS, pause * 2)));
  };
  const tell = (signal: 'SIGHUP' | 'SIGTERM'): void => {
    for (const worker of running.values()) worker.process.kill(signal);
  };
  const stop = async (): Promise<void> => {
    isStopping = true;
    const ended = [...running.values()].map((worker) => once(worker, 'exit'));
    tell('SIGTERM');
    await Promise.all(ended);
  };

  try {
    // One after the other: the first one decides what port 0 becomes, and what keeps one from starting is said once.
    const urls: Record<string, string> = {};
    for (let index = 0; index < plan.proxy.workers; index++)
      for (const [name, url] of Object.entries(await start(index)))
        urls[name === 'admin' && index > 0 ? `admin${index}` : name] = url;
    return { urls, reload: async () => tell('SIGHUP'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
