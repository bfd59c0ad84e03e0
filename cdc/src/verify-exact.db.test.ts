import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import type { MigrationSync } from './migration-sync.js';
import { seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop, shopData, writeAtRandom } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
let atChunk: () => Promise<void>;
const evidence = () => sync.evidence(Date.now());

beforeEach(async () => {
  shop = await openShop();
  await shop.fill(120);
  atChunk = async () => {};
  sync = shop.sync({
    data: shopData(10),
    stopPoints: (name) => (name === 'chunk-verified' ? atChunk() : Promise.resolve()),
  });
  void sync.wish('run');
  await settled(shop, evidence);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

describe('an exact verification', () => {
  it('sees both sides as they were at its point, whatever is written behind it', async () => {
    await shop.to.root.query("UPDATE item SET title = 'drift' WHERE id = 95");
    let written: Promise<void> | undefined;
    const write = async () => {
      await shop.from.root.query(
        "UPDATE product SET name = 'right again' WHERE id = 95; DELETE FROM product WHERE id BETWEEN 100 AND 110; UPDATE product SET id = id + 1000 WHERE id = 111",
      );
      await until(async () => {
        const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT 1 FROM item WHERE id = 1111');
        return rows.length === 1;
      }, 'the writes in the target');
    };
    // Every lane waits until the flow has carried the writes.
    atChunk = () => (written ??= write());
    const verification = await sync.verify({ exact: true });
    expect(written).toBeDefined();
    expect(verification).toMatchObject({
      clean: false,
      driftRows: 1,
      rowsVerified: 120 + 360 + 240,
      tables: [
        { sourceRows: 120, targetRows: 120, different: 1, samples: [{ key: '95' }] },
        { missing: 0, extra: 0 },
        { missing: 0, extra: 0 },
      ],
    });
    expect(verification.point).toMatch(/\S/);
    atChunk = async () => {};
    expect(await sync.verify()).toMatchObject({ clean: true });
  });

  it('invents nothing while rows are written all the time, and the flow goes on behind it', async () => {
    let isEnded = false;
    const seed = Math.floor(Math.random() * 1e9);
    const writing = writeAtRandom(shop.from.root, seeded(seed), () => isEnded);
    try {
      for (let round = 0; round < 6; round++)
        expect({ seed, ...(await sync.verify({ exact: true })) }).toMatchObject({
          seed,
          driftRows: 0,
          clean: true,
        });
    } finally {
      isEnded = true;
    }
    expect(await writing).toBeGreaterThan(0);
    await settled(shop, evidence);
    expect(await shop.differences()).toEqual([]);
  });

  it('is not what somebody gets who asks while another one runs', async () => {
    let [release, isReached] = [() => {}, false];
    const held = new Promise<void>((done) => (release = done));
    atChunk = () => ((isReached = true), held);
    const running = sync.verify();
    await until(() => isReached, 'a chunk');
    await expect(sync.verify({ exact: true })).rejects.toMatchObject({ code: 'VERIFICATION_RUNNING' });
    release();
    expect(await running).toMatchObject({ clean: true });
  });
});
