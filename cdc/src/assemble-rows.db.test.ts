import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { MigrationSync } from './migration-sync.js';
import { STOP_POINT_NAMES } from './stop-points.js';
import {
  clientData,
  clientDifferences,
  createClients,
  fillClients,
  writeClients,
} from './testing/clients.js';
import { seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
const evidence = () => sync.evidence(Date.now());

beforeEach(async () => {
  shop = await openShop();
  await createClients(shop);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

it('rows of several tables are put together, in the copy and in the tail, and verified by the tables themselves', async () => {
  await fillClients(shop, 50);
  sync = shop.sync({ data: clientData(20) });
  void sync.wish('run');
  await settled(shop, evidence);
  expect(evidence().problem).toBeNull();
  expect(await clientDifferences(shop)).toEqual([]);
  await shop.from.root.query(
    `UPDATE country SET id = 12, area = 'new' WHERE code = 'DE';
     DELETE FROM customer_address WHERE customer_id = 4; INSERT INTO customer_address VALUES (5, 'part alone', 'before its anchor'), (500, 'orphan', 'town');
     UPDATE customer_contact SET customer_id = 7 WHERE customer_id = 9; INSERT INTO customer_tag (customer_id, place, tag) VALUES (7, 0, 'first');
     INSERT INTO customer VALUES (500, 'late', NULL, 'it')`,
  );
  await settled(shop, evidence);
  expect(await clientDifferences(shop)).toEqual([]);
  const verification = await sync.verify();
  expect(verification.tables.flatMap(({ samples }) => samples)).toEqual([]);
  expect(verification).toMatchObject({ clean: true, rowsVerified: 102 });
  expect(sync.parked()).toEqual([]);
});

it('with all tables written at random, and ends at random stop points, the target is the join of the source in the end', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const random = seeded(seed);
  await fillClients(shop, 60);
  let isEnded = false;
  const writers = [1, 2].map(async (number) =>
    writeClients(await shop.writer(), seeded(seed + number), () => isEnded),
  );
  const ends: string[] = [];
  for (let round = 0; round < 12; round++) {
    const point = STOP_POINT_NAMES[Math.floor(random() * (round < 6 ? 4 : 2)) + (round < 6 ? 0 : 2)];
    let left = 1 + Math.floor(random() * (round < 6 ? 4 : 12));
    let arrive: () => void = () => {};
    const arrived = new Promise<void>((done) => (arrive = done));
    sync = shop.sync({
      data: clientData(10),
      stopPoints: async (name) => {
        if (name !== point || --left > 0) return;
        arrive();
        await new Promise(() => {});
      },
    });
    void sync.wish('run');
    // Where all is copied already there are no chunks any more.
    await Promise.race([arrived, new Promise((done) => setTimeout(done, 2_000))]);
    ends.push(`${point} while ${evidence().state}`);
    expect({ seed, round, problem: evidence().problem }).toEqual({ seed, round, problem: null });
    await sync.stop();
  }
  sync = shop.sync({ data: clientData(10) });
  void sync.wish('run');
  await until(() => evidence().state === 'tailing', `tailing, seed ${seed}`);
  const during = await sync.verify();
  expect({ seed, samples: during.tables.flatMap(({ samples }) => samples) }).toEqual({ seed, samples: [] });
  isEnded = true;
  const written = await Promise.all(writers);
  await settled(shop, evidence);
  expect({ seed, ends, parked: sync.parked() }).toEqual({ seed, ends, parked: [] });
  expect({ seed, ends, differences: await clientDifferences(shop) }).toEqual({ seed, ends, differences: [] });
  expect((await sync.verify()).clean).toBe(true);
  expect(Math.min(...written)).toBeGreaterThan(20);
}, 120_000);
