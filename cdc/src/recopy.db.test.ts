import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import type { MigrationSync } from './migration-sync.js';
import type { StopPointName } from './stop-points.js';
import { seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop, shopData, writeAtRandom } from './testing/shop.js';

let shop: Shop;
const running: MigrationSync[] = [];
const evidence = (sync: MigrationSync) => sync.evidence(Date.now());
const start = async (options?: Parameters<Shop['sync']>[0]): Promise<MigrationSync> => {
  const sync = shop.sync(options);
  running.push(sync);
  void sync.wish('run');
  await until(() => evidence(sync).state === 'tailing' && evidence(sync).recopies !== undefined, 'tailing');
  return sync;
};
const finished = (sync: MigrationSync, ...tables: readonly string[]) =>
  until(
    () =>
      tables.every((table) =>
        evidence(sync).recopies?.some((each) => each.table === table && each.finishedAt !== null),
      ),
    `${tables.join(' and ')} copied again`,
    30_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(evidence(sync))}`);
  });

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  await shop.drop();
});

/** Rows that are missing, changed, too many, and of which a child is wrong; a unique value has gone to the wrong row. */
const DRIFT = `SET foreign_key_checks = 0;
  DELETE FROM item WHERE id IN (3, 40, 77);
  UPDATE item SET title = 'wrong', price_minor = NULL WHERE id IN (5, 41, 90);
  UPDATE item SET sku = NULL WHERE id = 8; UPDATE item SET sku = 'sku-8' WHERE id = 80;
  INSERT INTO item (id, sku, title) VALUES (-1, 'x', 'x'), (50000, 'y', 'y'), (60000, 'sku-3', 'has the value of a missing row');
  INSERT INTO item_tag VALUES (50000, 0, 'child'), (70000, 0, 'an orphan'), (9, 7, 'one more');
  DELETE FROM item_tag WHERE item_id = 10;
  DELETE FROM item_stock WHERE item_id = 12;
  UPDATE item_stock SET quantity = -5 WHERE item_id BETWEEN 20 AND 30;
  INSERT INTO item_stock VALUES ('nowhere', 13, 1), ('nowhere', 90000, 1);`;

describe('a table that is copied again', () => {
  it('has its drift of every kind gone, and nothing else touched', async () => {
    await shop.fill(100);
    const sync = await start({ data: { ...shopData(20), strayWrites: 'ignore' } });
    await settled(shop, () => evidence(sync));
    await shop.to.root.query("UPDATE item SET own = 'mine' WHERE id = 5");
    await shop.to.root.query(DRIFT);
    expect((await shop.differences()).length).toBeGreaterThan(20);
    expect(await sync.recopy({ table: 'product', dryRun: true })).toMatchObject({
      dryRun: true,
      recopy: { table: 'product', looked: 0, total: 200, finishedAt: null },
    });
    expect(evidence(sync).recopies).toEqual([]);
    await sync.recopy({ table: 'product' });
    await sync.recopy({ table: 'stock' });
    await finished(sync, 'product', 'stock');
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(evidence(sync)).toMatchObject({
      parked: { keys: 0 },
      recopies: [
        { table: 'product', looked: 200, total: 200, removed: 4, etaMs: 0 },
        { table: 'stock', removed: 2, etaMs: 0 },
      ],
    });
    const [own] = await shop.to.root.query<RowDataPacket[]>('SELECT own FROM item WHERE id = 5');
    expect(own[0]?.['own']).toBe('mine');
  });

  it('is equal in the end with writers all the while', async () => {
    const seed = Date.now() % 1e9;
    await shop.fill(400);
    const sync = await start({ data: { ...shopData(25), strayWrites: 'ignore' } });
    let isEnded = false;
    const writers = [1, 2, 3].map(async (number) =>
      writeAtRandom(await shop.writer(), seeded(seed + number), () => isEnded, 40),
    );
    await shop.to.root.query(DRIFT);
    await sync.recopy({ table: 'product' });
    await sync.recopy({ table: 'stock' });
    await finished(sync, 'product', 'stock');
    isEnded = true;
    await Promise.all(writers);
    // What a writer met in the drift before it was mended waits in the parking lot.
    await settled(shop, () => evidence(sync));
    await sync.settleParked({});
    expect({ seed, differences: await shop.differences() }).toEqual({ seed, differences: [] });
  });

  it('in a range is mended within it alone, both ends included', async () => {
    await shop.fill(60);
    const sync = await start({ data: { ...shopData(7), strayWrites: 'ignore' } });
    await settled(shop, () => evidence(sync));
    await shop.to.root.query("UPDATE item SET title = 'wrong' WHERE id IN (9, 10, 30, 31)");
    await sync.recopy({ table: 'product', from: '10', to: '30' });
    await finished(sync, 'product');
    const [wrong] = await shop.to.root.query<RowDataPacket[]>(
      "SELECT id FROM item WHERE title = 'wrong' ORDER BY id",
    );
    expect(wrong.map((row) => Number(row['id']))).toEqual([9, 31]);
    expect(evidence(sync).recopies).toMatchObject([{ from: '["10"]', to: '["30"]', looked: 42, total: 42 }]);
    await shop.to.root.query('UPDATE item_stock SET quantity = -1 WHERE item_id IN (20, 21)');
    await sync.recopy({ table: 'stock', from: '[20, "süd"]', to: '["21", "North"]' });
    await finished(sync, 'stock');
    const [stock] = await shop.to.root.query<RowDataPacket[]>(
      'SELECT item_id, place FROM item_stock WHERE quantity = -1 ORDER BY item_id',
    );
    expect(stock.map(({ item_id, place }) => `${String(item_id)} ${String(place)}`)).toEqual([
      '20 North',
      '21 süd',
    ]);
  });

  // The fourth chunk is the last of the target's keys, the tenth one of the source's rows.
  for (const [what, sql] of Object.entries({
    'a key that comes': "INSERT INTO product (id, sku, name) VALUES (1025, 'came', 'came')",
    'a key that goes': 'DELETE FROM product WHERE id = 25',
    'a key that changes': "UPDATE product SET id = 1025, name = 'moved' WHERE id = 25",
    'a key that goes and comes':
      "DELETE FROM product WHERE id = 25; INSERT INTO product (id, name) VALUES (25, 'again')",
  }))
    for (const at of [4, 10])
      it(`leaves ${what} while chunk ${at} is read to the log`, async () => {
        await shop.fill(60);
        let [count, isAsked] = [0, false];
        let [arrive, release] = [() => {}, () => {}];
        const arrived = new Promise<void>((done) => (arrive = done));
        const released = new Promise<void>((done) => (release = done));
        const sync = await start({
          data: { ...shopData(20), strayWrites: 'ignore' },
          stopPoints: async (name: StopPointName) => {
            if (!isAsked || name !== 'chunk-read' || ++count !== at) return;
            arrive();
            await released;
          },
        });
        await shop.to.root.query("INSERT INTO item (id, title) VALUES (1025, 'too many')");
        isAsked = true;
        await sync.recopy({ table: 'product' });
        await arrived;
        await shop.from.root.query(sql);
        release();
        await finished(sync, 'product');
        await settled(shop, () => evidence(sync));
        expect(await shop.differences()).toEqual([]);
      });

  it('goes on where it was after an end, and has everything mended', async () => {
    await shop.fill(100);
    const data = { ...shopData(20), strayWrites: 'ignore' } as const;
    let [chunks, isAsked] = [0, false];
    let arrive: () => void = () => {};
    const arrived = new Promise<void>((done) => (arrive = done));
    const first = await start({
      data,
      stopPoints: (name) =>
        name === 'chunk-read' && isAsked && ++chunks === 8
          ? (arrive(), new Promise(() => {}))
          : Promise.resolve(),
    });
    await settled(shop, () => evidence(first));
    await shop.to.root.query(DRIFT);
    isAsked = true;
    await first.recopy({ table: 'product' });
    await arrived;
    const before = evidence(first).recopies?.[0]?.looked ?? 0;
    expect(before).toBeGreaterThan(20);
    await first.stop();
    let again = 0;
    const second = shop.sync({
      data,
      stopPoints: async (name) => void (name === 'chunk-read' && again++),
    });
    running.push(second);
    void second.wish('run');
    await finished(second, 'product');
    expect(evidence(second).recopies?.[0]?.looked).toBe(200);
    // All of it is eighteen chunks.
    expect(again).toBeLessThan(14);
    await settled(shop, () => evidence(second));
    expect((await shop.differences()).filter((each) => !each.includes('stock'))).toEqual([]);
  });

  it('is refused with a table or key that is none, twice at once, and before everything is copied', async () => {
    await shop.fill(30);
    const idle = shop.sync();
    await expect(idle.recopy({ table: 'product' })).rejects.toMatchObject({ code: 'MIGRATION_NOT_SYNCING' });
    let isAsked = false;
    let release: () => void = () => {};
    const released = new Promise<void>((done) => (release = done));
    const sync = await start({
      data: { ...shopData(20), strayWrites: 'ignore' },
      stopPoints: (name) => (name === 'chunk-read' && isAsked ? released : Promise.resolve()),
    });
    await expect(sync.recopy({ table: 'item' })).rejects.toMatchObject({ code: 'TABLE_NOT_MAPPED' });
    for (const from of ['x', '["1", "2"]', ''])
      await expect(sync.recopy({ table: 'product', from })).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(sync.recopy({ table: 'stock', from: '1' })).rejects.toThrow(
      '"1" is no key of table "stock": give a JSON list with the values of "product_id", "place"',
    );
    isAsked = true;
    await sync.recopy({ table: 'product' });
    const twice = sync.recopy({ table: 'product' });
    release();
    await expect(twice).rejects.toMatchObject({ code: 'RECOPY_RUNNING' });
    await finished(sync, 'product');
  });
});
