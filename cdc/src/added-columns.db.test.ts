import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationData } from '@strangler/contracts';
import type { MigrationSync } from './migration-sync.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop, shopData } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
const evidence = () => sync.evidence(Date.now());
const dataOf = (
  addedColumns: 'flow' | 'stop',
  change: (product: MigrationData['tables'][number]) => Partial<MigrationData['tables'][number]> = () => ({}),
): MigrationData => {
  const data = shopData(20);
  const [product, ...others] = data.tables;
  if (!product) throw new Error('no product');
  return { ...data, addedColumns, tables: [{ ...product, ...change(product) }, ...others] };
};
const start = async (data: MigrationData) => {
  sync = shop.sync({ data });
  await sync.wish('run');
};
const problem = async () => {
  await until(() => evidence().state === 'stopped', 'it stops');
  return evidence().problem;
};

beforeEach(async () => {
  shop = await openShop();
  await shop.fill(10);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

describe('a column that is added to the source', () => {
  it('is told and left out, and the flow goes on', async () => {
    await start(dataOf('flow'));
    await settled(shop, evidence);
    await shop.from.root.query(
      "ALTER TABLE product ADD COLUMN colour VARCHAR(9); UPDATE product SET name = 'x', colour = 'red' WHERE id = 1",
    );
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
    expect(shop.log).toContain('table "product" has got columns that the mapping leaves out: "colour"');
  });

  it('stops the flow before anything behind it where the plan says so, until it is left out; then it can be mapped and copied', async () => {
    await start(dataOf('stop'));
    await settled(shop, evidence);
    await shop.from.root.query(
      "UPDATE product SET name = 'before' WHERE id = 1; ALTER TABLE product ADD COLUMN colour VARCHAR(9) DEFAULT 'red', ADD COLUMN weight INT; UPDATE product SET name = 'behind' WHERE id = 2",
    );
    expect(await problem()).toMatch(
      /^table "product" has got columns that the mapping does not know, "colour", "weight": name them in "leaveOut"/,
    );
    const [rows] = await shop.to.root.query('SELECT title FROM item WHERE id = 2');
    expect(rows).not.toEqual([{ title: 'behind' }]);
    await sync.stop();

    await start(dataOf('stop', () => ({ leaveOut: ['colour', 'weight'] })));
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
    await sync.stop();

    await shop.to.root.query('ALTER TABLE item ADD COLUMN colour VARCHAR(9)');
    await start(
      dataOf('stop', ({ columns }) => ({ leaveOut: ['weight'], columns: { ...columns, colour: 'colour' } })),
    );
    await settled(shop, evidence);
    await sync.recopy({ table: 'product' });
    await until(
      () => (evidence().recopies ?? []).every(({ finishedAt }) => finishedAt !== null),
      'it is copied again',
    );
    const [colours] = await shop.to.root.query('SELECT DISTINCT colour FROM item');
    expect(colours).toEqual([{ colour: 'red' }]);
  });

  it('is not mapped at once, for the log before it has no values of it', async () => {
    await start(dataOf('stop'));
    await settled(shop, evidence);
    await shop.from.root.query(
      'ALTER TABLE product ADD COLUMN colour VARCHAR(9); UPDATE product SET colour = name WHERE id = 1',
    );
    await problem();
    await sync.stop();
    await shop.to.root.query('ALTER TABLE item ADD COLUMN colour VARCHAR(9)');
    await start(dataOf('stop', ({ columns }) => ({ columns: { ...columns, colour: 'colour' } })));
    expect(await problem()).toMatch(
      /^column "colour" of table "product" was added behind the place where the log is read on: leave it out/,
    );
  });
});
