import { randomBytes } from 'node:crypto';
import { controlSchemaOf, databaseOf } from '@strangler/cdc';
import type { SourceTransaction } from '@strangler/contracts';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { runFlow } from './run-flow.js';
import { TABLE_COLUMNS, writeLoad } from './write-load.js';

export type ApplyBench = {
  /** Row changes a second from a source in memory, by one stream, until their commit. */
  readonly applyRowsPerSec: number;
  readonly rows: number;
  readonly seconds: number;
  /** Of this process, which is also the source. */
  readonly peakRssMb: number;
};

/** What the target has to hold at the end. */
function endOf(fill: number, rows: number): string {
  const quantities = new Map<string, number>();
  for (const { changes } of writeLoad('', fill, rows))
    for (const { before, after } of changes)
      if (after) quantities.set(String(after['id']), Number(after['quantity']));
      else quantities.delete(String(before?.['id']));
  return `${quantities.size} rows, quantity ${[...quantities.values()].reduce((sum, each) => sum + each, 0)}`;
}

/** Applies `rows` changes of ten columns to a server, and compares the end with what it has to be. */
export async function benchApply(server: string, fill: number, rows: number): Promise<ApplyBench> {
  const id = `bench_${randomBytes(4).toString('hex')}`;
  const url = new URL(server);
  const root = await createConnection({ uri: url.href, multipleStatements: true });
  url.pathname = `/${id}_service`;
  const to = databaseOf('service', url.href);
  url.pathname = `/${id}_legacy`;
  const from = databaseOf('legacy', url.href);
  try {
    await root.query(
      `CREATE DATABASE ${from.schema} CHARACTER SET utf8mb4; CREATE TABLE ${from.schema}.product (${TABLE_COLUMNS});
       CREATE DATABASE ${to.schema} CHARACTER SET utf8mb4; CREATE TABLE ${to.schema}.item (${TABLE_COLUMNS})`,
    );
    const end = new AbortController();
    let peakRss = 0;
    let applied = 0;
    let startedAt = 0;
    let endedAt = 0;
    let before = 0;
    async function* stream(): AsyncGenerator<SourceTransaction> {
      yield* writeLoad(from.schema, fill, rows);
      await new Promise<void>((done) => end.signal.addEventListener('abort', () => done(), { once: true }));
    }
    await runFlow(
      {
        from,
        to,
        sourceOf: () => ({ now: async () => ({ text: '0' }), stream }),
        observer: {
          onApplied(batch) {
            peakRss = Math.max(peakRss, process.memoryUsage.rss());
            applied += batch.rows;
            endedAt = performance.now();
            // What fills the table, and warms up, is not measured.
            if (startedAt === 0 && applied >= fill) [startedAt, before] = [endedAt, applied];
            if (applied >= fill + rows) end.abort();
          },
        },
      },
      end.signal,
    );
    const measured = applied - before;
    const seconds = (endedAt - startedAt) / 1000;
    const expected = endOf(fill, rows);
    const [counted] = await root.query<RowDataPacket[]>(
      `SELECT COUNT(*) count, SUM(quantity) quantity FROM ${to.schema}.item`,
    );
    const found = `${counted[0]?.['count']} rows, quantity ${counted[0]?.['quantity']}`;
    if (found !== expected) throw new Error(`the target has ${found}, expected are ${expected}`);
    return {
      applyRowsPerSec: Math.round(measured / seconds),
      rows: measured,
      seconds: Number(seconds.toFixed(1)),
      peakRssMb: Math.round(peakRss / 2 ** 20),
    };
  } finally {
    for (const schema of [from, to].flatMap((one) => [one.schema, controlSchemaOf(one)]))
      await root.query(`DROP DATABASE IF EXISTS ${schema}`);
    await root.end();
  }
}
