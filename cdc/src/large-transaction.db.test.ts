import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import type { MigrationSync } from './migration-sync.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

const ROWS = 30_000;

let shop: Shop;
let sync: MigrationSync;
const evidence = () => sync.evidence(Date.now());
beforeEach(async () => {
  shop = await openShop();
  sync = shop.sync();
  void sync.wish('run');
  await settled(shop, evidence);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

const insertAll = () =>
  shop.from.root.query('INSERT INTO product (id, sku, name) VALUES ?', [
    Array.from({ length: ROWS }, (_, index) => [index + 1, `sku-${index}`, `name of ${index}`]),
  ]);

/** The connection that has written a part of it into the target. */
async function writing(): Promise<number> {
  let id = 0;
  await until(
    async () => {
      const [rows] = await shop.to.root.query<RowDataPacket[]>(
        `SELECT p.ID id FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
        WHERE p.DB = ? AND t.trx_rows_modified > 2000`,
        [shop.to.schema],
      );
      id = Number(rows[0]?.['id'] ?? 0);
      return id > 0;
    },
    'a part of it is written',
    40_000,
  );
  return id;
}

describe('a large transaction of the source', () => {
  it('that is broken off in the target is read again from its beginning, and says so meanwhile', async () => {
    await insertAll();
    await shop.to.root.query(`KILL ${await writing()}`);
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
    expect(shop.log.filter((line) => line.includes('was broken off in the target'))).toHaveLength(1);
    expect(evidence()).toMatchObject({ problem: null, applied: { rows: ROWS } });
  });

  it('during which sync is ended leaves nothing of itself, and comes whole after a restart', async () => {
    await insertAll();
    await writing();
    await sync.stop();
    const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT COUNT(*) n FROM item');
    expect(rows[0]?.['n']).toBe(0);
    await sync.wish('run');
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
  });

  it('with a row that is refused parks that one', async () => {
    await shop.to.root.query('ALTER TABLE item ADD CONSTRAINT cheap CHECK (id <> 29000)');
    await insertAll();
    await settled(shop, evidence);
    expect(sync.parked().map(({ key }) => key)).toEqual(['item:29000']);
    expect(await shop.differences()).toHaveLength(1);
  });
});
