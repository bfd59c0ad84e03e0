import { setTimeout as delay } from 'node:timers/promises';
import { CELLS, type ClientWrite, openSender, type Sent } from '@strangler/e2e/faults';

/** A request as its client saw it: begin and end in milliseconds since the epoch, as the journal has them. */
export type Timed = {
  readonly isRead: boolean;
  readonly beginAt: number;
  readonly endAt: number;
  readonly sent: Sent;
};

export type SteadyLoadOptions = {
  readonly proxy: string;
  readonly writesPerSecond: number;
  readonly readsPerSecond: number;
  readonly record: (write: ClientWrite) => void;
};

export type SteadyLoad = {
  readonly done: readonly Timed[];
  stop(): Promise<void>;
};

const TICK_MS = 5;
const TIMEOUT_MS = 15_000;

/** As many requests a second as asked for, whether earlier ones were answered or not: nobody waits in a queue of ours. Half of the writes are orders, half put cells. */
export function steadyLoad({
  proxy,
  writesPerSecond,
  readsPerSecond,
  record,
}: SteadyLoadOptions): SteadyLoad {
  const sender = openSender(TIMEOUT_MS);
  const done: Timed[] = [];
  const underWay = new Set<Promise<void>>();
  const closing = new AbortController();
  const begun = performance.now();
  const numbers: number[] = [];
  let [writes, reads] = [0, 0];

  const timed = async (
    isRead: boolean,
    method: string,
    path: string,
    body?: object,
  ): Promise<readonly [Sent, number, number]> => {
    const invokedAt = performance.now();
    const sent = await sender.send(method, proxy + path, body);
    const endedAt = performance.now();
    const { timeOrigin } = performance;
    done.push({ isRead, beginAt: timeOrigin + invokedAt, endAt: timeOrigin + endedAt, sent });
    return [sent, invokedAt, endedAt];
  };
  const write = async (nr: number) => {
    const token = `bench-${nr}`;
    const isOrder = nr % 2 === 0;
    const [item, cell] = [1 + (nr % 8) / 2, CELLS[((nr - 1) / 2) % CELLS.length] ?? 1];
    const [sent, invokedAt, endedAt] = isOrder
      ? await timed(false, 'POST', '/orders', { token, item, quantity: 1 })
      : await timed(false, 'PUT', `/cells/${cell}`, { token });
    const seen = { token, invokedAt, endedAt, outcome: sent.outcome, via: 'the bench', told: sent.told };
    const isOk = sent.outcome === 'ok';
    if (isOrder) {
      const number = Number(sent.body['number']);
      record({ kind: 'order', ...seen, item, quantity: 1, ...(isOk ? { number } : {}) });
      if (isOk && numbers.push(number) > 100) numbers.shift();
    } else
      record({ kind: 'cell', ...seen, cell, ...(isOk ? { version: Number(sent.body['version']) } : {}) });
  };
  const read = async (nr: number) => {
    // Of somebody else, some writes ago: it is on both sides.
    const number = numbers[0];
    await timed(
      true,
      'GET',
      number === undefined || nr % 2 === 0 ? `/cells/${CELLS[nr % 8] ?? 1}` : `/orders/${number}`,
    );
  };
  const start = (request: Promise<void>) => {
    const kept: Promise<void> = request.finally(() => underWay.delete(kept));
    underWay.add(kept);
  };
  const running = (async () => {
    while (!closing.signal.aborted) {
      const seconds = (performance.now() - begun) / 1_000;
      while (writes < seconds * writesPerSecond) start(write(writes++));
      while (reads < seconds * readsPerSecond) start(read(reads++));
      await delay(TICK_MS);
    }
  })();
  return {
    done,
    async stop() {
      closing.abort();
      await running;
      await Promise.all(underWay);
      sender.close();
    },
  };
}
