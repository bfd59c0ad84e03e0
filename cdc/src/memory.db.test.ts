import { readFileSync } from 'node:fs';
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

/** The most that the process ever had in memory. */
const peakMib = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const isLinux = process.platform === 'linux';
(isLinux ? describe : describe.skip)('the memory of sync', () => {
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
      const { pid } = sync.process;
      expect(peakMib(pid as number)).toBeLessThan(MAX_MIB);
      process.stdout.write(
        `${ROWS} rows in one transaction: ${peakMib(pid as number).toFixed(0)} MiB at most\n`,
      );
      expect(await migration()).toMatchObject({ problem: null });
    },
    60_000 + ROWS * 2,
  );
});
