import { setTimeout as delay } from 'node:timers/promises';
import type { Side } from '@strangler/contracts';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { seeded } from '../seeded.js';
import { CELLS, ITEMS, openConnection } from './databases.js';
import type { ClientWrite, Outcome } from './history.js';
import { openSender } from './send.js';
import { DIALECTS } from './tables.js';

export type LoadOptions = {
  readonly proxies: readonly string[];
  readonly databases: Readonly<Record<Side, string>>;
  /** Before the number of each token, so that no other run has it. */
  readonly name: string;
  readonly seed: number;
  readonly clients: number;
  /** A client waits twice as long at most between two of its requests. */
  readonly pauseMs: number;
  /** Databases into which a job writes past the proxies. */
  readonly jobs: readonly Side[];
  readonly record: (write: ClientWrite) => void;
};

export type Load = {
  /** Waits for the requests that are under way. */
  stop(): Promise<void>;
  reads(): { readonly ok: number; readonly failed: number };
};

const TIMEOUT_MS = 15_000;
const JOB_PAUSE_MS = 25;

/** Clients of the proxies, and a job that writes past them into whichever database lets it. Each write is recorded with what its client was told. */
export function startLoad(options: LoadOptions): Load {
  const { proxies, databases, name, seed, clients, pauseMs, jobs, record } = options;
  const sender = openSender(TIMEOUT_MS);
  const [ok, failed] = [{ reads: 0 }, { reads: 0 }];
  const closing = new AbortController();
  let count = 0;
  const client = async (nr: number) => {
    const random = seeded(seed * 1_009 + nr);
    const pick = (limit: number) => Math.floor(random() * limit);
    const seen: string[] = [];
    while (!closing.signal.aborted) {
      const proxy = pick(proxies.length);
      const base = proxies[proxy] ?? '';
      const kind = random();
      if (kind < 0.4) {
        const path = seen[pick(seen.length)] ?? `/cells/${CELLS[pick(CELLS.length)]}`;
        const { outcome } = await sender.send('GET', base + path);
        (outcome === 'ok' ? ok : failed).reads++;
      } else {
        const token = `${name}-${nr}-${count++}`;
        const via = `client ${nr} through proxy ${proxy + 1}`;
        const invokedAt = performance.now();
        if (kind < 0.75) {
          const [item, quantity] = [ITEMS[pick(ITEMS.length)] ?? 1, 1 + pick(3)];
          const sent = await sender.send('POST', `${base}/orders`, { token, item, quantity });
          const number = Number(sent.body['number']);
          record({
            kind: 'order',
            token,
            item,
            quantity,
            invokedAt,
            endedAt: performance.now(),
            via,
            outcome: sent.outcome,
            told: sent.told,
            ...(sent.outcome === 'ok' ? { number } : {}),
          });
          if (sent.outcome === 'ok') seen.push(`/orders/${number}`);
          if (seen.length > 20) seen.shift();
        } else {
          const cell = CELLS[pick(CELLS.length)] ?? 1;
          const sent = await sender.send('PUT', `${base}/cells/${cell}`, { token });
          record({
            kind: 'cell',
            token,
            cell,
            invokedAt,
            endedAt: performance.now(),
            via,
            outcome: sent.outcome,
            told: sent.told,
            ...(sent.outcome === 'ok' ? { version: Number(sent.body['version']) } : {}),
          });
        }
      }
      await delay(2 * pauseMs * random());
    }
  };
  const job = async (side: Side) => {
    const random = seeded(seed * 1_013 + side.length);
    let connection: Connection | undefined;
    for (let nr = 0; !closing.signal.aborted; nr++) {
      const token = `${name}-job-${side}-${nr}`;
      const [item, quantity] = [1 + Math.floor(random() * 4), 1];
      const invokedAt = performance.now();
      const kept = (outcome: Outcome, told: string, number?: number) =>
        record({
          kind: 'order',
          token,
          item,
          quantity,
          invokedAt,
          endedAt: performance.now(),
          via: `a job in the database of ${side}`,
          outcome,
          told,
          ...(number === undefined ? {} : { number }),
        });
      let isCommitting = false;
      try {
        connection ??= await openConnection(databases[side]);
        const { reserve, insert } = DIALECTS[side];
        await connection.query('START TRANSACTION');
        await connection.query(reserve, [quantity, item, quantity]);
        // A job is slow: the fence has to wait for it.
        await delay(10 * random());
        const [sql, values] = insert({ token, item, quantity });
        const [{ insertId }] = await connection.query<ResultSetHeader>(sql, values);
        isCommitting = true;
        await connection.query('COMMIT');
        kept('ok', 'committed', insertId);
      } catch (error) {
        connection?.destroy();
        connection = undefined;
        kept(isCommitting ? 'unknown' : 'refused', (error as Error).message);
      }
      await delay(JOB_PAUSE_MS * 2 * random());
    }
    connection?.destroy();
  };
  const people = [...Array.from({ length: clients }, (_, nr) => client(nr + 1)), ...jobs.map(job)];
  return {
    async stop() {
      closing.abort();
      await Promise.all(people);
      sender.close();
    },
    reads: () => ({ ok: ok.reads, failed: failed.reads }),
  };
}
