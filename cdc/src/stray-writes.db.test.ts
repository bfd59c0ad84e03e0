import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StrayWritesMode } from '@strangler/contracts';
import { type Connection, createConnection } from 'mysql2/promise';
import { controlSchemaOf } from './connect.js';
import type { MigrationSync } from './migration-sync.js';
import { engineOf, seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop, shopData, writeAtRandom } from './testing/shop.js';

let shop: Shop;
const running: MigrationSync[] = [];
const writers: Connection[] = [];
const evidence = (sync: MigrationSync) => sync.evidence(Date.now());
const strays = (sync: MigrationSync) => evidence(sync).strayWrites;
const dataOf = (strayWrites: StrayWritesMode) => ({ ...shopData(20), strayWrites });
const start = async (mode: StrayWritesMode): Promise<MigrationSync> => {
  const sync = shop.sync({ data: dataOf(mode) });
  running.push(sync);
  void sync.wish('run');
  await settled(shop, () => evidence(sync));
  await until(() => mode === 'ignore' || strays(sync)?.unwatched === null, 'the log is watched');
  return sync;
};
/** Somebody who writes into the service's database. */
const writer = async (): Promise<Connection> => {
  const connection = await createConnection({ uri: shop.to.url, multipleStatements: true });
  writers.push(connection);
  return connection;
};

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  for (const each of writers.splice(0)) each.destroy();
  await shop.drop();
});

describe('writes of others into the target', () => {
  it('are told with table, key and time, by two writers, and nothing of ours is', async () => {
    await shop.fill(60);
    const sync = await start('report');
    const [first, second] = [await writer(), await writer()];
    await second.query('START TRANSACTION; DELETE FROM item_stock WHERE item_id = 4');
    await first.query(
      "UPDATE item SET title = 'theirs' WHERE id = 7; INSERT INTO item (id, title) VALUES (900, 'theirs')",
    );
    await shop.from.root.query("UPDATE product SET name = 'ours', tags = 'p,q' WHERE id BETWEEN 1 AND 50");
    await second.query('COMMIT');
    await settled(shop, () => evidence(sync));
    await until(() => strays(sync)?.count === 4, 'all are found');
    const { samples = [] } = strays(sync) ?? {};
    expect(samples.map(({ table, key, operation }) => `${operation} ${table} ${key}`).toSorted()).toEqual([
      'delete item_stock 4,North',
      'delete item_stock 4,süd',
      'insert item 900',
      'update item 7',
    ]);
    for (const { at } of samples) expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
    // MySQL's log names the connection, MariaDB's does not.
    const users = new Set(samples.map(({ user }) => user?.replace(/@.*/, '@')));
    expect(users).toEqual(
      new Set([(await engineOf(shop.to.root)) === 'mysql' ? `${new URL(shop.to.url).username}@` : undefined]),
    );
    expect(shop.log.filter((line) => line.includes('written by somebody else')).length).toBeGreaterThan(0);
    expect(strays(sync)?.repaired).toBe(0);
  });

  it('while nobody of this migration ran are found at the next start, and counted on', async () => {
    await shop.fill(20);
    const first = await start('report');
    const other = await writer();
    await other.query("UPDATE item SET title = 'theirs' WHERE id = 1");
    await until(() => strays(first)?.count === 1, 'found');
    await first.stop();
    await other.query("UPDATE item SET title = 'theirs again' WHERE id IN (2, 3)");
    const second = await start('report');
    await until(() => (strays(second)?.count ?? 0) >= 3, 'found what came meanwhile');
    expect(strays(second)).toMatchObject({ count: 3, samples: [{ key: '3' }, { key: '2' }] });
  });

  it('into tables that are not mapped, and by a writer that rolls back, are none', async () => {
    await shop.fill(20);
    const sync = await start('report');
    const other = await writer();
    await other.query(
      "CREATE TABLE own (id INT PRIMARY KEY); INSERT INTO own VALUES (1); START TRANSACTION; DELETE FROM item_tag; ROLLBACK; UPDATE item SET title = 'seen' WHERE id = 9",
    );
    await until(() => (strays(sync)?.count ?? 0) > 0, 'the last one is found');
    expect(strays(sync)).toMatchObject({ count: 1, samples: [{ key: '9' }] });
  });

  it('are repaired when the plan says so, whatever was done, with writers on both sides', async () => {
    const seed = Date.now() % 1e9;
    await shop.fill(200);
    const sync = await start('repair');
    let isEnded = false;
    const ours = writeAtRandom(await shop.writer(), seeded(seed), () => isEnded, 40);
    const [first, second] = [await writer(), await writer()];
    for (let round = 0; round < 10; round++) {
      const id = 1 + ((seed + round * 17) % 190);
      await first.query(
        `UPDATE item SET title = 'theirs' WHERE id BETWEEN ${id} AND ${id + 3}; DELETE FROM item_tag WHERE item_id = ${id + 1}`,
      );
      await second
        .query(
          `REPLACE INTO item (id, title) VALUES (${7_000_000 + round}, 'too many'); UPDATE item_stock SET place = 'moved' WHERE item_id = ${id} AND place = 'North'; SET foreign_key_checks = 0; DELETE FROM item WHERE id = ${id + 5}`,
        )
        .catch((error: { errno?: number }) => {
          if (![1213, 1205].includes(error.errno ?? 0)) throw error;
        });
    }
    isEnded = true;
    await ours;
    await until(async () => {
      await settled(shop, () => evidence(sync));
      await sync.settleParked({});
      return (await shop.differences()).length === 0;
    }, `equal, seed ${seed}`).catch(async (error: unknown) => {
      throw new Error(
        `${String(error)}: ${JSON.stringify([await shop.differences(), evidence(sync).problem, strays(sync)])}`,
      );
    });
    expect(strays(sync)?.repaired).toBeGreaterThan(20);
    await first.query('SET foreign_key_checks = 0; TRUNCATE TABLE item_stock');
    await until(
      async () => (await shop.differences()).length === 0,
      'what was emptied is there again',
      20_000,
    );
  });

  it('stop the flow when the plan says so, with a sentence, and it goes on at the next start', async () => {
    await shop.fill(20);
    const sync = await start('stop');
    const other = await writer();
    await other.query("UPDATE item SET title = 'theirs' WHERE id = 11");
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    expect(evidence(sync).problem).toMatch(
      /^row "11" of table "item" was written by .+, and "data\.strayWrites" of migration "catalog" is "stop"/,
    );
    await sync.stop();
    const again = await start('stop');
    expect(strays(again)).toMatchObject({ count: 1, unwatched: null });
  });

  it('are not looked for when the plan says so', async () => {
    await shop.fill(5);
    const sync = await start('ignore');
    expect(strays(sync)).toBeUndefined();
  });

  it('that the log of the target may not be read for are said to be unknown, and the flow goes on', async () => {
    await shop.fill(5);
    const [account, url] = [`'${shop.to.schema.slice(-20)}'@'%'`, new URL(shop.to.url)];
    const schemas = [shop.to.schema, controlSchemaOf(shop.to)];
    await shop.to.root.query(
      `CREATE USER ${account} IDENTIFIED BY 'pw'; ${schemas.map((name) => `GRANT ALL ON ${name}.* TO ${account}`).join(';')}`,
    );
    try {
      [url.username, url.password] = [shop.to.schema.slice(-20), 'pw'];
      const sync = shop.sync({ data: dataOf('stop'), to: { ...shop.to, url: url.href } });
      running.push(sync);
      void sync.wish('run');
      await until(() => (strays(sync)?.unwatched ?? null) !== null, 'it says so');
      await shop.from.root.query("UPDATE product SET name = 'goes on'");
      await settled(shop, () => evidence(sync));
      expect(await shop.differences()).toEqual([]);
      expect(strays(sync)).toMatchObject({
        unwatched: expect.stringMatching(/denied|REPLICATION/i),
        count: 0,
      });
      expect(
        shop.log.filter((line) => line.startsWith('stray writes of migration "catalog" cannot be told')),
      ).toHaveLength(1);
    } finally {
      await shop.to.root.query(`DROP USER ${account}`);
    }
  });
});
