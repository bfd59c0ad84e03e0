import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { TableMapping } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2';
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

it('a verification does not trust what is kept beside the target, and a stray write is mended from the tables themselves', async () => {
  await fillClients(shop, 20);
  sync = shop.sync({ data: { ...clientData(20), strayWrites: 'repair' } });
  void sync.wish('run');
  await settled(shop, evidence);
  const schema = `${shop.to.schema}_strangler`;
  const [tables] = await shop.to.root.query<RowDataPacket[]>(
    "SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'part%'",
    [schema],
  );
  const kept = (text: string) =>
    `${schema}.${String(tables.find(({ name }) => String(name).includes(text))?.['name'])}`;
  // As if a bug had written it: what is put together from it later is wrong, and is found.
  await shop.to.root.query(
    `UPDATE ${kept('customer_address')} SET city = 'wrong' WHERE id = 4; DELETE FROM ${kept('customer_contact')} WHERE id = 6; UPDATE ${kept('customer_tag')} SET id = 9 WHERE id = 10; UPDATE ${kept('client_area')} SET \`#value\` = 'wrong' WHERE \`#match\` = 'DE'`,
  );
  await shop.from.root.query("UPDATE customer SET name = CONCAT(name, '!') WHERE id IN (4, 6, 9, 10)");
  await settled(shop, evidence);
  const { tables: verified } = await sync.verify();
  expect(verified.find(({ to }) => to === 'client')).toMatchObject({ different: 4 });
  await shop.to.root.query(
    "UPDATE client SET own = 'stray' WHERE id IN (4, 6, 9); DELETE FROM client WHERE id = 10",
  );
  await until(() => (evidence().strayWrites?.count ?? 0) === 4, 'stray writes are found');
  await until(async () => (await clientDifferences(shop)).length === 0, 'all is mended');
  expect((await sync.verify()).clean).toBe(true);
});

it('a value that is looked up and not there parks the key where the plan says so, until it is there', async () => {
  await fillClients(shop, 8);
  await shop.from.root.query("UPDATE customer SET country_code = 'de' WHERE country_code = 'XX'");
  sync = shop.sync({ data: clientData(20, 'refuse') });
  void sync.wish('run');
  await settled(shop, evidence);
  expect(sync.parked()).toEqual([]);
  await shop.from.root.query("UPDATE customer SET country_code = 'NL' WHERE id = 3");
  await settled(shop, evidence);
  expect(sync.parked()).toMatchObject([
    {
      key: 'client:3',
      code: 'LOOKUP_MISSING',
      problem: expect.stringContaining('has in "country_code" what is not in "country"'),
    },
  ]);
  await shop.from.root.query("INSERT INTO country VALUES (7, 'NL', 'low')");
  await settled(shop, evidence);
  expect(sync.parked()).toEqual([]);
  expect(await clientDifferences(shop)).toEqual([]);
});

it('a key that has changed since it waits for what it asks for is left to a retry, and the others are not', async () => {
  const waiting = () =>
    sync
      .parked()
      .map(({ key, code, events }) => `${key} ${code} ${events}`)
      .toSorted();
  await fillClients(shop, 8);
  await shop.from.root.query("UPDATE customer SET country_code = 'de' WHERE country_code = 'XX'");
  sync = shop.sync({ data: clientData(20, 'refuse') });
  void sync.wish('run');
  await settled(shop, evidence);
  await shop.from.root.query(
    "UPDATE customer SET country_code = 'NL' WHERE id IN (2, 3); UPDATE customer SET country_code = 'LU' WHERE id = 4",
  );
  await settled(shop, evidence);
  await shop.from.root.query("UPDATE customer SET name = 'newer' WHERE id = 3");
  await settled(shop, evidence);
  await sync.stop();
  sync = shop.sync({ data: clientData(20, 'refuse') });
  void sync.wish('run');
  await shop.from.root.query("INSERT INTO country VALUES (7, 'NL', 'low')");
  await settled(shop, evidence);
  expect(waiting()).toEqual(['client:3 LOOKUP_MISSING 2', 'client:4 LOOKUP_MISSING 1']);
  await shop.from.root.query("UPDATE country SET code = 'LU' WHERE code = 'NL'");
  await settled(shop, evidence);
  expect(waiting()).toEqual(['client:2 LOOKUP_MISSING 1', 'client:3 LOOKUP_MISSING 2']);
  await shop.from.root.query("INSERT INTO country VALUES (8, 'NL', 'low')");
  await settled(shop, evidence);
  expect(waiting()).toEqual(['client:3 LOOKUP_MISSING 2']);
  await sync.settleParked({});
  expect(sync.parked()).toEqual([]);
  expect(await clientDifferences(shop)).toEqual([]);
  expect((await sync.verify()).clean).toBe(true);
});

it('a row the target refuses because of a part is parked, and goes on when it is right', async () => {
  await fillClients(shop, 8);
  await shop.to.root.query("ALTER TABLE client ADD CONSTRAINT no_bad CHECK (street <> 'bad')");
  sync = shop.sync({ data: clientData(20) });
  void sync.wish('run');
  await settled(shop, evidence);
  await shop.from.root.query("UPDATE customer_address SET street = 'bad' WHERE customer_id IN (2, 4)");
  await settled(shop, evidence);
  expect(sync.parked()).toMatchObject([
    { key: 'client:2', code: 'ROW_REFUSED' },
    { key: 'client:4', code: 'ROW_REFUSED' },
  ]);
  const { tables } = await sync.verify();
  expect(tables.find(({ to }) => to === 'client')).toMatchObject({ different: 0, parked: 2 });
  await shop.from.root.query("UPDATE customer_address SET street = 'good' WHERE customer_id IN (2, 4)");
  await settled(shop, evidence);
  await sync.settleParked({});
  expect(sync.parked()).toEqual([]);
  expect(await clientDifferences(shop)).toEqual([]);
});

it('two rows of a part for one row of the target, and an element that a list would not give back, are parked by their own keys', async () => {
  await fillClients(shop, 8);
  await shop.from.root.query('ALTER TABLE customer_contact DROP INDEX customer_id');
  sync = shop.sync({ data: clientData(20) });
  void sync.wish('run');
  await settled(shop, evidence);
  await shop.from.root.query(
    "INSERT INTO customer_contact VALUES (100, 3, 'second'); INSERT INTO customer_tag VALUES (100, 3, 0, 'a|b')",
  );
  await settled(shop, evidence);
  expect(sync.parked().map(({ key, code }) => `${key.replace(/^part_\w{6}_/, '')} ${code}`)).toEqual([
    expect.stringMatching(/^client_customer_contact_\w+:100 ROW_REFUSED/),
    expect.stringMatching(/^client_tags_customer_tag_\w+:100 VALUE_UNMAPPED/),
  ]);
  await shop.from.root.query(
    "DELETE FROM customer_contact WHERE customer_id = 3 AND id < 100; UPDATE customer_tag SET tag = 'a-b' WHERE id = 100",
  );
  await settled(shop, evidence);
  await sync.settleParked({});
  expect(sync.parked()).toEqual([]);
  expect(await clientDifferences(shop)).toEqual([]);
});

it('a part that the plan names later is copied beside the flow, and a copy that is dropped takes what is kept with it', async () => {
  await fillClients(shop, 30);
  const data = clientData(20);
  const [client, note] = data.tables as [TableMapping, TableMapping];
  const [address] = client.parts ?? [];
  sync = shop.sync({
    data: { ...data, tables: [{ ...client, parts: address ? [address] : [], lists: undefined }, note] },
  });
  void sync.wish('run');
  await settled(shop, evidence);
  await sync.stop();
  await shop.to.root.query('ALTER TABLE client MODIFY city VARCHAR(200) NOT NULL DEFAULT "unset"');
  await shop.from.root.query(
    'ALTER TABLE customer_address MODIFY city VARCHAR(200); UPDATE customer_address SET city = REPEAT("x", 150) WHERE customer_id = 4',
  );
  sync = shop.sync({ data });
  void sync.wish('run');
  await settled(shop, evidence);
  expect(sync.parked()).toEqual([]);
  await sync.recopy({ table: 'customer:client' });
  await until(async () => (await clientDifferences(shop)).length === 0, 'the anchor is copied again');
  await expect(sync.recopy({ table: 'customer' })).rejects.toThrow(
    'is mapped more than once: name one of "customer:client.lookups", "customer:client", "customer:client_note"',
  );
  await sync.wish('drop');
  await until(() => evidence().state === 'idle', 'dropped');
  const [left] = await shop.to.root.query(
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'part\\_%'",
    [`${shop.to.schema}_strangler`],
  );
  expect(left).toEqual([]);
});

it('a stream that begins where both sides are equal copies what rows are put together from, and the rows stay', async () => {
  await fillClients(shop, 20);
  sync = shop.sync({ data: clientData(20) });
  void sync.wish('run');
  await settled(shop, evidence);
  await sync.stop();
  // The rows are there, and nothing is known of how they came.
  await shop.to.root.query(`DROP DATABASE ${shop.to.schema}_strangler`);
  sync = shop.sync({ data: clientData(5), beginsEqual: true });
  void sync.wish('run');
  await settled(shop, evidence);
  await shop.from.root.query("UPDATE customer SET name = CONCAT(name, '!')");
  await settled(shop, evidence);
  expect(await clientDifferences(shop)).toEqual([]);
  expect(evidence().backfill.tables.filter(({ copied }) => copied > 0)).toHaveLength(6);
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
    let hasArrived = false;
    sync = shop.sync({
      data: clientData(10),
      stopPoints: async (name) => {
        // The first half is ended anywhere, the second when all is copied.
        if (round >= 6 && evidence().state !== 'tailing') return;
        if (name !== point || --left > 0) return;
        hasArrived = true;
        await new Promise(() => {});
      },
    });
    void sync.wish('run');
    // Where all is copied already there are no chunks any more.
    await until(() => hasArrived, 'the stop point', 2_000).catch(() => {});
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
