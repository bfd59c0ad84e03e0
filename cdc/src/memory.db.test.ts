import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { until } from './testing/databases.js';
import { openShop, type Shop } from './testing/shop.js';
import { stateServer } from './testing/state-server.js';
import { removePlans, startSync, type SyncProcess, writePlan } from './testing/sync-process.js';

/** `npm run test:large-transaction` asks for a million. */
const ROWS = Number(process.env['STRANGLER_LARGE_TRANSACTION_ROWS'] ?? 200_000);
const MAX_MIB = 300;

let shop: Shop;
let state: Awaited<ReturnType<typeof stateServer>>;
let sync: SyncProcess;
beforeEach(async () => {
  shop = await openShop();
  state = await stateServer('catalog', 'syncing');
});
afterEach(async () => {
  sync.process.kill();
  await sync.ended();
  state.stop();
  await shop.drop();
});
afterAll(removePlans);

/** The most that the process ever had in memory; where the system does not tell that, what it has now. */
async function peakMib({ process: { pid }, url }: SyncProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  if (peak !== undefined) return Number(peak) / 1024;
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]) / 2 ** 20;
}

describe('the memory of sync', () => {
  it(
    `stays below ${MAX_MIB} MiB whatever one transaction holds, and nobody sees a part of it`,
    async () => {
      sync = await startSync(await writePlan(state.listen, 1_000), shop);
      const migration = async () => (await sync.evidence()).migrations['catalog'];
      await until(async () => (await migration())?.state === 'tailing', 'tailing');
      const count = async (where = 'TRUE') => {
        const [rows] = await shop.to.root.query<RowDataPacket[]>(
          `SELECT COUNT(*) n FROM item WHERE ${where}`,
        );
        return Number(rows[0]?.['n']);
      };
      const { root } = shop.from;
      await root.query(
        "START TRANSACTION; INSERT INTO product (id, sku, name, price, note) VALUES (1, 'sku-1', 'name of one', 1.5, REPEAT('note ', 10))",
      );
      for (let rows = 1; rows < ROWS; rows *= 2)
        await root.query(
          `INSERT INTO product (id, sku, name, price, note) SELECT id + ${rows}, CONCAT('sku-', id + ${rows}), CONCAT('name of ', id + ${rows}), id + 0.5, note FROM product WHERE id <= ${ROWS - rows}`,
        );
      await root.query('COMMIT');
      const seen = new Set<number>();
      await until(async () => seen.add(await count()).has(ROWS), 'the rows are there', ROWS * 2);
      expect([...seen].filter((rows) => rows !== 0 && rows !== ROWS)).toEqual([]);
      await root.query("UPDATE product SET name = 'all at once', price = 2");
      await until(
        async () => (await count("title = 'all at once'")) === ROWS,
        'the update is there',
        ROWS * 2,
      );
      const peak = await peakMib(sync);
      process.stdout.write(`${ROWS} rows in one transaction: ${peak.toFixed(0)} MiB at most\n`);
      expect(peak).toBeLessThan(MAX_MIB);
      expect(await migration()).toMatchObject({ problem: null });
    },
    60_000 + ROWS * 2,
  );
});
