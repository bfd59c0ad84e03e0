import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf } from './connect.js';
import type { MigrationSync } from './migration-sync.js';
import { seeded, until } from './testing/databases.js';
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

const table = async (to: string) => {
  const verification = await sync.verify();
  return { verification, table: verification.tables.find((one) => one.to === to) };
};

describe('a verification', () => {
  it('compares every row through its mapping and finds equal ones equal', async () => {
    const verification = await sync.verify();
    expect(verification).toMatchObject({
      clean: true,
      driftRows: 0,
      rowsVerified: 120 + 360 + 240,
      tables: [
        {
          from: 'product',
          to: 'item',
          sourceRows: 120,
          targetRows: 120,
          compared: 120,
          different: 0,
          missing: 0,
          extra: 0,
          samples: [],
        },
        { from: 'product', to: 'item_tag', targetRows: 360, compared: 360 },
        { from: 'stock', to: 'item_stock', sourceRows: 240, targetRows: 240, compared: 240 },
      ],
    });
    expect(evidence().verification).toEqual(verification);
  });

  const planted: Readonly<Record<string, readonly [sql: string, to: string, drift: object]>> = {
    'a changed value': [
      'UPDATE item SET price_minor = price_minor + 1 WHERE id = 7',
      'item',
      { different: 1, samples: [{ key: '7', difference: 'price_minor: "707" expected, "708" found' }] },
    ],
    'a changed case': ['UPDATE item SET title = LOWER(title) WHERE id = 7', 'item', { different: 1 }],
    'a value that became NULL': ['UPDATE item SET added_at = NULL WHERE id = 7', 'item', { different: 1 }],
    'a second of difference': [
      'UPDATE item SET added_at = added_at + INTERVAL 1 SECOND WHERE id = 120',
      'item',
      { different: 1 },
    ],
    'a missing row': [
      'SET foreign_key_checks = 0; DELETE FROM item WHERE id = 60',
      'item',
      { missing: 1, samples: [{ key: '60', difference: 'is missing' }] },
    ],
    'an extra row between': [
      'SET foreign_key_checks = 0; UPDATE item SET id = 9999 WHERE id = 60',
      'item',
      { missing: 1, extra: 1 },
    ],
    'an extra row behind all others': [
      'INSERT INTO item (id) VALUES (5000)',
      'item',
      { extra: 1, samples: [{ key: '5000', difference: 'has no source row' }] },
    ],
    'an extra row before all others': ['INSERT INTO item (id) VALUES (-3)', 'item', { extra: 1 }],
    'a missing child': [
      'DELETE FROM item_tag WHERE item_id = 9 AND position = 2',
      'item_tag',
      { missing: 1, samples: [{ key: '9,2,c', difference: 'is missing' }] },
    ],
    'a changed child': [
      "UPDATE item_tag SET tag = 'z' WHERE item_id = 9 AND position = 2",
      'item_tag',
      { missing: 1, extra: 1 },
    ],
    'an extra child': [
      "INSERT INTO item_tag VALUES (9, 3, 'more')",
      'item_tag',
      { extra: 1, samples: [{ key: '9,3,more', difference: 'is not in the list of its source row' }] },
    ],
    'a child without a parent': [
      "SET foreign_key_checks = 0; INSERT INTO item_tag VALUES (7777, 0, 'lost')",
      'item_tag',
      { extra: 1 },
    ],
    'a row of a key of two columns': [
      "UPDATE item_stock SET quantity = -1 WHERE item_id = 33 AND place = 'süd'",
      'item_stock',
      { different: 1, samples: [{ key: '33,süd', difference: 'quantity: "1" expected, "-1" found' }] },
    ],
  };
  for (const [what, [sql, to, drift]] of Object.entries(planted))
    it(`finds ${what}`, async () => {
      await shop.to.root.query(sql);
      const { verification, table: found } = await table(to);
      expect(found).toMatchObject(drift);
      expect(verification.clean).toBe(false);
      const { missing = 0, extra = 0, different = 0 } = found ?? {};
      expect(verification.driftRows).toBe(missing + extra + different);
    });

  it('shows at most ten samples of many, and counts them all', async () => {
    await shop.to.root.query("UPDATE item SET title = 'drift'");
    const { table: found } = await table('item');
    expect(found?.different).toBe(120);
    expect(found?.samples).toHaveLength(10);
  });

  it('invents nothing while rows are written all the time, and finds what is there all the same', async () => {
    const seed = Date.now() % 1e9;
    await shop.from.root.query(
      "INSERT INTO product (id, sku, name) VALUES (5000, 'calm', 'calm'), (5001, 'calm2', 'calm')",
    );
    await settled(shop, evidence);
    await shop.to.root.query("UPDATE item SET title = 'drift' WHERE id = 5000");
    let isEnded = false;
    const writers = [1, 2].map(async (number) =>
      writeAtRandom(await shop.writer(), seeded(seed + number), () => isEnded, 10),
    );
    // One row is never left alone.
    const hot = (async () => {
      const writer = await shop.writer();
      const isRunning = () => !isEnded;
      for (let count = 0; isRunning(); count++) {
        await writer.query(`UPDATE product SET price = ${count % 1000} WHERE id = 5001`);
        await new Promise((done) => setTimeout(done, 3));
      }
    })();
    const found = [await sync.verify(), await sync.verify(), await sync.verify()];
    isEnded = true;
    await Promise.all([...writers, hot]);
    expect({ seed, drift: found.map(({ driftRows }) => driftRows) }).toEqual({ seed, drift: [1, 1, 1] });
    for (const { tables } of found)
      expect(tables[0]?.samples).toEqual([
        { key: '5000', difference: 'title: "calm" expected, "drift" found' },
      ]);
  });

  it('is one for all who ask while it runs', async () => {
    const [one, two] = await Promise.all([sync.verify(), sync.verify()]);
    expect(one).toBe(two);
    expect(await sync.verify()).not.toBe(one);
  });

  it('is refused while nothing is tailed', async () => {
    await sync.stop();
    await expect(sync.verify()).rejects.toMatchObject({ code: 'MIGRATION_NOT_SYNCING', status: 409 });
  });

  it('ends when the sync is stopped under it', async () => {
    const ended = sync.verify().catch((error: unknown) => error);
    await sync.stop();
    expect(await ended).toBeInstanceOf(Error);
    expect(evidence().state).toBe('idle');
  });

  it('is made all the time of a share of what is written, and tells of what differs', async () => {
    await sync.stop();
    sync = shop.sync({ data: shopData(50), inlineShare: 1 });
    void sync.wish('run');
    await settled(shop, evidence);
    await shop.from.root.query("UPDATE product SET name = 'right' WHERE id = 5");
    await until(() => (evidence().inline?.looked ?? 0) >= 1, 'a look');
    expect(evidence().inline?.drifted).toBe(0);
    await shop.to.root.query(
      "CREATE TRIGGER spoil BEFORE UPDATE ON item FOR EACH ROW SET NEW.title = 'spoilt'",
    );
    await shop.from.root.query("UPDATE product SET name = 'other' WHERE id = 6");
    await until(() => (evidence().inline?.drifted ?? 0) === 1, 'drift');
    expect((await sync.repair({ dryRun: true })).rows).toEqual([
      { table: 'item', kind: 'different', key: '6', difference: 'title: "other" expected, "spoilt" found' },
    ]);
  });

  it('goes on where it was broken off, counts nothing twice, and begins anew when it is told to', async () => {
    await shop.to.root.query("UPDATE item SET title = 'drift' WHERE id IN (95, 110)");
    let passed = 0;
    const restart = async (stopsAt: number) => {
      await sync.stop();
      passed = 0;
      let now = Date.now();
      sync = shop.sync({
        data: shopData(10),
        // Progress is kept once a second.
        clock: () => (now += 2_000),
        // Nothing more is done by one that was killed.
        stopPoints: async (name) => {
          if (name === 'chunk-verified' && ++passed >= stopsAt) await new Promise(() => {});
        },
      });
      void sync.wish('run');
      await settled(shop, evidence);
    };
    const kept = async () => {
      const [rows] = await shop.to.root.query<RowDataPacket[]>(
        `SELECT progress, finished_at FROM ${controlSchemaOf(shop.to)}.verification`,
      );
      return { isFinished: rows[0]?.['finished_at'] !== null, progress: String(rows[0]?.['progress']) };
    };
    await restart(3);
    sync.verify().catch(() => {});
    const begun = '"place":{"pair":0,"pass":0,"lastKey":null}';
    await until(async () => passed >= 3 && !(await kept()).progress.includes(begun), 'progress that is kept');
    expect((await kept()).isFinished).toBe(false);

    await shop.to.root.query("UPDATE item SET title = 'drift' WHERE id = 1");
    await restart(Infinity);
    const found = {
      driftRows: 2,
      rowsVerified: 120 + 360 + 240,
      tables: [
        { sourceRows: 120, targetRows: 120, compared: 120, different: 2, missing: 0, extra: 0 },
        { targetRows: 360, compared: 360, missing: 0, extra: 0 },
        { sourceRows: 240, targetRows: 240, compared: 240, missing: 0, extra: 0 },
      ],
    };
    expect(await sync.verify()).toMatchObject(found);
    expect(await kept()).toMatchObject({ isFinished: true });
    // What lies before the place where it went on was not read again.
    expect(await sync.verify({ afresh: true })).toMatchObject({
      driftRows: 3,
      rowsVerified: found.rowsVerified,
    });
  });
});
