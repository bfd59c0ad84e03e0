import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf } from './connect.js';
import type { MigrationSync } from './migration-sync.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
const running: MigrationSync[] = [];
const start = (options?: Parameters<Shop['sync']>[0]): MigrationSync => {
  const sync = shop.sync(options);
  running.push(sync);
  void sync.wish('run');
  return sync;
};
const evidence = (sync: MigrationSync) => sync.evidence(Date.now());
const keysOf = (sync: MigrationSync) => sync.parked().map(({ key }) => key);

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  await shop.drop();
});

/** A shop with twelve products whose titles may have ten letters, tailing. */
async function narrow(options?: Parameters<Shop['sync']>[0]): Promise<MigrationSync> {
  await shop.to.root.query('ALTER TABLE item MODIFY title VARCHAR(10)');
  await shop.fill(12);
  const sync = start(options);
  await settled(shop, () => evidence(sync));
  return sync;
}
const widen = () => shop.to.root.query('ALTER TABLE item MODIFY title VARCHAR(100)');
const TOO_LONG = "UPDATE product SET name = 'much too long for it', price = 7 WHERE id = 2";

describe('a row that the target refuses', () => {
  it('is parked with what follows on it, and the others go on', async () => {
    const sync = await narrow();
    await shop.from.root.query(
      `${TOO_LONG}; UPDATE product SET price = 8 WHERE id = 2; UPDATE product SET name = 'short' WHERE id = 2; UPDATE product SET price = 9 WHERE id = 3`,
    );
    await settled(shop, () => evidence(sync));
    expect(evidence(sync)).toMatchObject({
      state: 'tailing',
      problem: null,
      parked: { keys: 1, samples: [{ key: 'item:2', code: 'ROW_REFUSED', events: 3 }] },
    });
    expect(sync.parked()[0]?.problem).toMatch(/^row "2" of table "item" was refused by the target/);
    expect(await shop.differences()).toEqual([
      expect.stringContaining('item 2 '),
      expect.stringContaining('item 2 '),
    ]);
    const [rows] = await shop.to.root.query<RowDataPacket[]>(
      `SELECT ordinal, code, JSON_VALUE(event, '$.before.price') was, JSON_VALUE(event, '$.after.price') is_now FROM ${controlSchemaOf(shop.to)}.parked ORDER BY ordinal`,
    );
    expect(rows.map((row) => Object.values(row).join(' '))).toEqual([
      '0 ROW_REFUSED 2.02 7.00',
      '1 PARKED_BEHIND 7.00 8.00',
      '2 PARKED_BEHIND 8.00 8.00',
    ]);
  });

  it('in the middle of a large batch is the only one that is parked', async () => {
    const sync = await narrow();
    await shop.from.root.query(
      `INSERT INTO product (id, name) VALUES ${Array.from({ length: 3_000 }, (_, index) => `(${100 + index}, '${index === 1_777 ? 'much too long for it' : 'short'}')`).join(',')}`,
    );
    await settled(shop, () => evidence(sync));
    expect(keysOf(sync)).toEqual(['item:1877']);
    expect(await shop.differences()).toEqual([expect.stringContaining('missing: item 1877')]);
  });

  it('is still parked after a restart, and a value that cannot be mapped is parked as well', async () => {
    const first = await narrow();
    await shop.from.root.query(`${TOO_LONG}; UPDATE product SET added = '2024-03-31 02:30:00' WHERE id = 5`);
    await settled(shop, () => evidence(first));
    await first.stop();
    const second = start();
    await shop.from.root.query("UPDATE product SET name = 'fine' WHERE id IN (2, 5, 6)");
    await settled(shop, () => evidence(second));
    expect(second.parked().map(({ key, code, events }) => `${key} ${code} ${events}`)).toEqual([
      'item:2 ROW_REFUSED 2',
      'item:5 VALUE_UNMAPPED 2',
    ]);
  });

  it('while it is copied is parked, and the copy is done', async () => {
    await shop.fill(60);
    await shop.from.root.query("UPDATE product SET added = '2024-03-31 02:30:00' WHERE id = 33");
    const sync = start();
    await settled(shop, () => evidence(sync));
    expect(keysOf(sync)).toEqual(['item:33']);
    expect(evidence(sync).backfill.tables[0]).toMatchObject({ copied: 60, done: true });
  });

  it('is waited for by rows that refer to it where the account may do nothing but what we ask for', async () => {
    const account = `'p${Math.floor(performance.now())}'@'127.0.0.1'`;
    const control = controlSchemaOf(shop.to);
    const tables = ['item', 'item_stock', 'item_tag'];
    await shop.to.root.query(
      `ALTER TABLE item_stock ADD CONSTRAINT of_item FOREIGN KEY (item_id) REFERENCES item (id);
       CREATE USER ${account} IDENTIFIED BY 'pw'; GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON ${control}.* TO ${account};
       ${tables.map((table) => `GRANT SELECT, INSERT, UPDATE, DELETE ON ${shop.to.schema}.${table} TO ${account}`).join(';')}`,
    );
    try {
      const url = new URL(shop.to.url);
      [url.username, url.password] = [account.slice(1, account.indexOf("'", 1)), 'pw'];
      const sync = await narrow({ to: { ...shop.to, url: url.href } });
      await shop.from.root.query(
        "INSERT INTO product (id, name) VALUES (50, 'much too long for it'); INSERT INTO stock VALUES (50, 'North', 1), (3, 'new', 1)",
      );
      await settled(shop, () => evidence(sync));
      expect(keysOf(sync)).toEqual(['item:50', 'item_stock:50,North']);
      await sync.stop();
    } finally {
      await shop.to.root.query(`DROP USER ${account}`);
    }
  });

  it('takes rows with it that refer to it, as far as the foreign keys of the target say, and their own children', async () => {
    await shop.to.root.query(
      'ALTER TABLE item_stock ADD CONSTRAINT of_item FOREIGN KEY (item_id) REFERENCES item (id)',
    );
    const sync = await narrow();
    await shop.from.root.query(
      "INSERT INTO product (id, name) VALUES (50, 'much too long for it'); INSERT INTO stock VALUES (50, 'North', 1), (3, 'new', 1)",
    );
    await settled(shop, () => evidence(sync));
    expect(sync.parked()).toMatchObject([{ key: 'item:50' }, { key: 'item_stock:50,North', waits: true }]);
    expect(await shop.differences()).toEqual([
      expect.stringContaining('missing: item 50'),
      expect.stringContaining('missing: stock 50'),
    ]);
    await widen();
    expect(await sync.settleParked({ key: 'item:50' })).toMatchObject({
      released: ['item:50', 'item_stock:50,North'],
      parked: [],
    });
    expect(await shop.differences()).toEqual([]);
  });

  it('one more than may be parked stops the flow with a sentence, and nothing of that transaction is there', async () => {
    const sync = await narrow({ maxParkedKeys: 3 });
    await shop.from.root.query("UPDATE product SET name = 'much too long for it'");
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    expect(evidence(sync).problem).toMatch(
      /^migration "catalog" has 3 keys parked and "item:4" would be one more/,
    );
    const [rows] = await shop.to.root.query<RowDataPacket[]>(
      `SELECT COUNT(*) n FROM ${controlSchemaOf(shop.to)}.parked`,
    );
    expect(rows[0]?.['n']).toBe(0);
    await widen();
    const again = start();
    await settled(shop, () => evidence(again));
    expect(await shop.differences()).toEqual([]);
  });

  it('because it is longer than a packet of the server is parked, not tried for ever', async () => {
    await shop.from.root.query('ALTER TABLE product MODIFY name LONGTEXT CHARACTER SET latin1');
    await shop.to.root.query('ALTER TABLE item MODIFY title LONGTEXT');
    const sync = start();
    await settled(shop, () => evidence(sync));
    await shop.from.root.query(
      "INSERT INTO product (id, name) VALUES (1, 'a'), (2, REPEAT('\\'', 9000000)), (3, 'c')",
    );
    await settled(shop, () => evidence(sync));
    expect(sync.parked()).toMatchObject([{ key: 'item:2', code: 'ROW_REFUSED' }]);
    expect(sync.parked()[0]?.problem).toContain('max_allowed_packet');
  });

  it('does not stay because of a column that is missing in the target: that stops the flow', async () => {
    const sync = await narrow();
    await shop.to.root.query('ALTER TABLE item DROP COLUMN title');
    await shop.from.root.query('UPDATE product SET price = 3 WHERE id = 1');
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    expect(sync.parked()).toEqual([]);
  });
});

describe('a parked key', () => {
  it('holds the time until which everything is said to be there', async () => {
    const told: (number | null)[] = [];
    const sync = await narrow({ onAppliedUntil: (moment) => told.push(moment) });
    const heartbeats = (count: number) => {
      const { transactions } = evidence(sync).applied;
      return until(() => evidence(sync).applied.transactions >= transactions + count, 'heartbeats');
    };
    await heartbeats(2);
    expect(told.length).toBeGreaterThan(0);
    await shop.from.root.query(TOO_LONG);
    await settled(shop, () => evidence(sync));
    const before = told.length;
    await heartbeats(3);
    expect(told).toHaveLength(before);
    await widen();
    await sync.settleParked({});
    await heartbeats(3);
    expect(told.length).toBeGreaterThan(before);
  });

  it('that is tried again becomes what its source is now, whatever came in between', async () => {
    const sync = await narrow();
    await shop.from.root.query(
      `${TOO_LONG}; UPDATE product SET name = 'also much too long', id = 77 WHERE id = 4; UPDATE product SET name = 'much too long again' WHERE id = 6; DELETE FROM product WHERE id = 6`,
    );
    await settled(shop, () => evidence(sync));
    expect(keysOf(sync).toSorted()).toEqual(['item:2', 'item:4', 'item:6', 'item:77']);
    expect(await sync.settleParked({ dryRun: true })).toMatchObject({ dryRun: true, released: [] });
    expect(await sync.settleParked({ key: 'item:2' })).toMatchObject({
      released: [],
      parked: [{ key: 'item:2', code: 'ROW_REFUSED' }],
    });
    await widen();
    expect((await sync.settleParked({})).parked).toEqual([]);
    expect(await shop.differences()).toEqual([]);
    await shop.from.root.query("UPDATE product SET name = 'is followed again' WHERE id IN (2, 77)");
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(evidence(sync).parked).toEqual({ keys: 0, oldestAt: null, samples: [] });
  });

  it('that is written all the while is repaired without losing a write', async () => {
    const sync = await narrow();
    await shop.from.root.query(TOO_LONG);
    await settled(shop, () => evidence(sync));
    await widen();
    const writer = await shop.writer();
    const end = new AbortController();
    const writing = (async () => {
      for (let round = 0; !end.signal.aborted; round++)
        await writer.query(`UPDATE product SET price = ${round} WHERE id = 2; DO SLEEP(0.02)`);
    })();
    await until(async () => (await sync.settleParked({})).parked.length === 0, 'repaired');
    end.abort();
    await writing;
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('that is given up stays as it is until it changes again, and who did it and why is kept', async () => {
    const sync = await narrow();
    await shop.from.root.query(TOO_LONG);
    await settled(shop, () => evidence(sync));
    const discard = { by: 'ada', why: 'it is a test row' };
    await expect(sync.settleParked({ key: 'item:3', discard })).rejects.toMatchObject({
      code: 'KEY_NOT_PARKED',
    });
    expect(await sync.settleParked({ key: 'item:2', discard })).toMatchObject({ released: ['item:2'] });
    expect(await shop.differences()).toHaveLength(2);
    const [rows] = await shop.to.root.query<RowDataPacket[]>(
      `SELECT table_name, shown, discarded_by, why FROM ${controlSchemaOf(shop.to)}.parked_discarded`,
    );
    expect(rows).toEqual([{ table_name: 'item', shown: '2', discarded_by: 'ada', why: 'it is a test row' }]);
    await shop.from.root.query("UPDATE product SET name = 'short' WHERE id = 2");
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('is told apart from drift by a verification', async () => {
    const sync = await narrow();
    await shop.from.root.query(TOO_LONG);
    await settled(shop, () => evidence(sync));
    await shop.to.root.query("UPDATE item SET title = 'other' WHERE id = 7");
    const verification = await sync.verify();
    expect(verification).toMatchObject({ clean: false, driftRows: 1 });
    expect(verification.tables[0]).toMatchObject({ to: 'item', different: 1, parked: 1 });
  });
});
