import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { connect } from './connect.js';
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

/** Lets the writing of it into the target reach its row 20,000 and no further until `goOn`; `writer` is the connection that waits there. */
async function stopWithin(): Promise<{ readonly writer: number; readonly goOn: () => Promise<void> }> {
  const holder = await connect(shop.to);
  await holder.query('START TRANSACTION; INSERT INTO item (id) VALUES (20000)');
  await insertAll();
  let writer = 0;
  await until(
    async () => {
      const [rows] = await shop.to.root.query<RowDataPacket[]>(
        // A second in one statement is the wait. (INNODB_TRX would say it, and is not brought up to date for who asks more than ten times a second.)
        "SELECT ID id FROM information_schema.PROCESSLIST WHERE DB = ? AND COMMAND = 'Query' AND TIME >= 1 AND INFO LIKE 'INSERT INTO%'",
        [shop.to.schema],
      );
      writer = Number(rows[0]?.['id'] ?? 0);
      return writer > 0;
    },
    'a part of it is written',
    40_000,
  );
  return {
    writer,
    goOn: async () => {
      await holder.query('ROLLBACK');
      await holder.end();
    },
  };
}

describe('a large transaction of the source', () => {
  it('that is broken off in the target is read again from its beginning, and says so meanwhile', async () => {
    const { writer, goOn } = await stopWithin();
    await shop.to.root.query(`KILL ${writer}`);
    await goOn();
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
    expect(shop.log.filter((line) => line.includes('was broken off in the target'))).toHaveLength(1);
    expect(evidence()).toMatchObject({ problem: null, applied: { rows: ROWS } });
  });

  it('during which sync is ended leaves nothing of itself, and comes whole after a restart', async () => {
    const { goOn } = await stopWithin();
    const stopped = sync.stop();
    await goOn();
    await stopped;
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
