import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { throttleSchema } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { MigrationSync } from './migration-sync.js';
import { readServerLoad } from './server-load.js';
import { engineOf, until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

const BUSY = 12;
let shop: Shop;
let sync: MigrationSync | undefined;
const sleepers: Connection[] = [];
const evidence = () => (sync as MigrationSync).evidence(Date.now());

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await sync?.stop();
  for (const sleeper of sleepers.splice(0)) sleeper.destroy();
  await shop.drop();
});

/** Statements that run until their connections are killed, beside those of other tests. */
async function keepBusy(): Promise<() => Promise<void>> {
  const ids: number[] = [];
  for (let each = 0; each < BUSY; each++) {
    const sleeper = await shop.writer();
    sleepers.push(sleeper);
    ids.push(sleeper.threadId);
    sleeper.query('SELECT SLEEP(120)').catch(() => {});
  }
  await until(
    async () => ((await readServerLoad(shop.from.root)).threadsRunning ?? 0) > BUSY,
    'statements run',
  );
  return async () => {
    for (const id of ids) await shop.from.root.query(`KILL ${id}`).catch(() => {});
  };
}

describe('a copy', () => {
  it('pauses while a server is busy, says so, follows the log meanwhile, and goes on when it is calm', async () => {
    await shop.fill(60);
    const calm = await keepBusy();
    sync = shop.sync({ throttle: { ...throttleSchema.parse(undefined), maxThreadsRunning: BUSY } });
    void sync.wish('run');
    await until(() => evidence().backfill.throttled !== null, 'throttled');
    expect(evidence().backfill.throttled).toMatch(
      /^database "legacy" has \d+ threads running \(sync\.throttle\.maxThreadsRunning is 12\); database "service" has /,
    );
    await shop.from.root.query("UPDATE product SET name = 'meanwhile' WHERE id = 7");
    await until(async () => {
      const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT title FROM item');
      return rows.length === 1 && rows[0]?.['title'] === 'meanwhile';
    }, 'the change of a row that is not copied yet');
    expect(evidence()).toMatchObject({
      state: 'backfilling',
      backfill: { tables: [{ copied: 0 }, { copied: 0 }] },
    });
    await calm();
    await settled(shop, evidence, 40_000);
    expect(await shop.differences()).toEqual([]);
    expect(evidence().backfill.throttled).toBeNull();
  });
});

describe('the load of a server', () => {
  it('tells who runs, who waits for a row, and on MariaDB what is to be purged', async () => {
    await shop.fill(1);
    const [holder, waiter] = [await shop.writer(), await shop.writer()];
    const before = await readServerLoad(shop.from.root);
    expect(before.threadsRunning).toBeGreaterThanOrEqual(1);
    expect(before.historyLength === null).toBe((await engineOf(shop.from.root)) === 'mysql');
    await holder.query("START TRANSACTION; UPDATE product SET name = 'held' WHERE id = 1");
    const waiting = waiter.query("UPDATE product SET name = 'waits' WHERE id = 1");
    await until(
      async () => ((await readServerLoad(shop.from.root)).rowLockWaits ?? 0) >= 1,
      'a statement waits',
    );
    await holder.query('COMMIT');
    await waiting;
  });
});
