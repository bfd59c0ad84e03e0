import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationSync } from './migration-sync.js';
import { seeded } from './testing/databases.js';
import { openShop, settled, type Shop, shopData, writeAtRandom } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
const evidence = () => sync.evidence(Date.now());

beforeEach(async () => {
  shop = await openShop();
  await shop.fill(120);
  sync = shop.sync({ data: shopData(50) });
  void sync.wish('run');
  await settled(shop, evidence);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

const PLANTED = `SET foreign_key_checks = 0;
  UPDATE item SET title = 'drift' WHERE id = 7;
  UPDATE item SET own = 'theirs' WHERE id IN (7, 8);
  DELETE FROM item WHERE id = 60;
  INSERT INTO item (id) VALUES (5000000), (-3);
  DELETE FROM item_tag WHERE item_id = 9 AND position = 2;
  UPDATE item_tag SET tag = 'z' WHERE item_id = 10 AND position = 0;
  INSERT INTO item_tag VALUES (11, 3, 'more'), (7777777, 0, 'lost');
  UPDATE item_stock SET quantity = -1 WHERE item_id = 33`;

describe('a repair', () => {
  it('says what it would write, and changes nothing', async () => {
    expect(await sync.repair({ dryRun: true })).toMatchObject({ dryRun: true, total: 0, left: 0, rows: [] });
    await shop.to.root.query(PLANTED);
    const { driftRows } = await sync.verify();
    const before = await shop.differences();
    const plan = await sync.repair({ dryRun: true });
    expect(plan).toMatchObject({ dryRun: true, total: driftRows, left: driftRows, repaired: 0 });
    expect(plan.rows).toContainEqual({
      table: 'item',
      kind: 'different',
      key: '7',
      difference: 'title: "Lämp 7" expected, "drift" found',
    });
    expect(plan.rows).toContainEqual({
      table: 'item',
      kind: 'extra',
      key: '5000000',
      difference: 'has no source row',
    });
    expect(await shop.differences()).toEqual(before);
  });

  it('writes, while rows change, what differs and nothing else; a second verification is clean', async () => {
    await shop.to.root.query(PLANTED);
    const seed = Date.now() % 1e9;
    let isEnded = false;
    const writing = writeAtRandom(await shop.writer(), seeded(seed), () => isEnded, 10);
    await sync.verify();
    const { repaired, left } = await sync.repair({ by: 'ann' });
    const { driftRows } = await sync.verify();
    isEnded = true;
    await writing;
    await settled(shop, evidence);
    expect({ seed, left, driftRows, differences: await shop.differences() }).toEqual({
      seed,
      left: 0,
      driftRows: 0,
      differences: [],
    });
    // Writes may have put some of them right before.
    expect(repaired).toBeLessThanOrEqual(10);
    expect(shop.log).toContain(
      `${repaired} keys of the copy of migration "catalog" were repaired, asked for by "ann"`,
    );
    expect(await sync.repair({ dryRun: true })).toMatchObject({ total: 0 });
  });

  it('leaves columns of the target alone, and does not write what has become equal', async () => {
    await shop.to.root.query(PLANTED);
    await sync.verify();
    await shop.to.root.query("UPDATE item SET title = 'Lämp 7' WHERE id = 7; DELETE FROM item WHERE id = -3");
    expect(await sync.repair({})).toMatchObject({ equal: 2, repaired: 8, left: 0, rows: [] });
    const [rows] = await shop.to.root.query('SELECT own FROM item WHERE id IN (7, 8) ORDER BY id');
    expect(rows).toEqual([{ own: 'theirs' }, { own: 'theirs' }]);
    expect(await sync.verify()).toMatchObject({ clean: true });
  });

  it('is refused while nothing is tailed', async () => {
    await sync.stop();
    await expect(sync.repair({ dryRun: true })).rejects.toMatchObject({ code: 'MIGRATION_NOT_SYNCING' });
  });
});
