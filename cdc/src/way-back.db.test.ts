import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import { check } from './check.js';
import { examine } from './doctor.js';
import type { MigrationSync } from './migration-sync.js';
import { reversedData } from './reversed-data.js';
import { migrationsOf } from './sides.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase, seeded } from './testing/databases.js';
import { caughtUp, syncBetween } from './testing/lens-sync.js';

const MAPPING = `
        - from: customer
          to: client
          key: { id: id }
          columns: { name: name }
          parts: [{ from: contact, key: { id: customer_id }, columns: { phone: phone }, lost: [no, since] }]
          lookups: { country_id: { column: country_code, in: country, key: code, value: id } }
          lists: { tags: { from: customer_tag, key: { id: customer_id }, item: tag, order: place, lost: [tag_id, colour] } }
          lost: [secret]
        - { from: country, to: land, key: { id: id }, columns: { iso: code } }`;
const LEGACY = `
  CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(40), country_code VARCHAR(9), secret VARCHAR(9));
  CREATE TABLE contact (no INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL UNIQUE, phone VARCHAR(40), since INT);
  CREATE TABLE customer_tag (tag_id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT, place INT, tag VARCHAR(20), colour INT);
  CREATE TABLE country (id INT PRIMARY KEY, code VARCHAR(9) UNIQUE)`;
const SERVICE = `
  CREATE TABLE client (id INT PRIMARY KEY, name VARCHAR(40), phone VARCHAR(40), country_id INT, tags VARCHAR(200));
  CREATE TABLE land (id INT PRIMARY KEY, iso VARCHAR(9))`;

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let legacy: Scratch;
let service: Scratch;
const running: MigrationSync[] = [];
beforeEach(async () => {
  [legacy, service] = [await scratchDatabase('legacy'), await scratchDatabase('service')];
  await legacy.root.query(LEGACY);
  await service.root.query(SERVICE);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  await legacy.drop();
  await service.drop();
});

const plan = () => checkedPlan(legacy.url, service.url, MAPPING);
const shown = (findings: readonly Finding[]) =>
  findings.map(
    ({ severity, code, path, message }) =>
      `${severity} ${code} ${path.replace('migrations.catalog.data.', '')}: ${message}`,
  );

describe('of the way back the doctor tells', () => {
  it('columns that must have a value and get none, or later, and nothing where they have a default', async () => {
    expect(await examine(plan())).toEqual([]);
    await legacy.root.query(
      'ALTER TABLE customer MODIFY country_code VARCHAR(9) NOT NULL, MODIFY secret VARCHAR(9) NOT NULL; ALTER TABLE contact MODIFY no INT NOT NULL; ALTER TABLE customer_tag MODIFY colour INT NOT NULL',
    );
    const findings = await examine(plan());
    expect(shown(findings)).toEqual([
      'warns BACK_UNFILLED tables[0]: column "country_code" of source table "customer" must have a value, and a row that comes back gets it from another row, when it is there already: a new one would be parked',
      'warns BACK_UNFILLED tables[0]: column "secret" of source table "customer" must have a value, and a row that comes back has none for it: a new one would be parked',
      'warns BACK_UNFILLED tables[0]: column "colour" of source table "customer_tag" must have a value, and a row that comes back has none for it: a new one would be parked',
      'warns BACK_UNFILLED tables[0]: column "no" of source table "contact" must have a value, and a row that comes back has none for it: a new one would be parked',
    ]);
    // It keeps nothing from starting there.
    expect(await check(plan())).toEqual([]);
    const [first, second, third] = findings;
    for (const { statements = [] } of [first, second, third] as Finding[])
      for (const statement of statements) await legacy.root.query(statement);
    await legacy.root.query('ALTER TABLE contact MODIFY no INT NOT NULL AUTO_INCREMENT');
    expect(await examine(plan())).toEqual([]);
  });

  it('a part that comes back by what is no key', async () => {
    await legacy.root.query('ALTER TABLE contact DROP INDEX customer_id');
    const findings = await examine(plan());
    expect(shown(findings)).toEqual([
      'warns BACK_KEY tables[0]: rows of "contact" come back by "customer_id", which is no unique key there: each is looked for in the whole table, and two are changed as one',
    ]);
    for (const statement of findings[0]?.statements ?? []) await legacy.root.query(statement);
    expect(await examine(plan())).toEqual([]);
  });
});

it('a part that has a key of its own beside that of its row comes back, keeps it, and is verified', async () => {
  const [{ data } = { data: undefined }] = migrationsOf(plan());
  if (!data) throw new Error('no data');
  await legacy.root.query(
    "INSERT INTO country VALUES (1, 'DE'), (2, 'FR'); INSERT INTO customer (id, name, country_code) VALUES (1, 'Ann', 'DE'), (2, 'Bo', NULL), (3, 'Cy', 'FR'); INSERT INTO contact VALUES (70, 3, '333', 9), (71, 1, '111', 9)",
  );
  const there = syncBetween({ name: 'there', from: legacy, to: service, data });
  running.push(there);
  void there.wish('run');
  await caughtUp(there, legacy);
  await there.stop();
  const home = syncBetween(
    { name: 'home', from: service, to: legacy, data: reversedData(data) },
    { beginsEqual: true },
  );
  running.push(home);
  void home.wish('run');
  await caughtUp(home, service);
  await service.root.query(
    `UPDATE client SET phone = '112', country_id = 2 WHERE id = 1; UPDATE client SET phone = '222' WHERE id = 2; UPDATE client SET phone = NULL WHERE id = 3;
     INSERT INTO client VALUES (4, 'Di', '444', 1, 'a,b')`,
  );
  await caughtUp(home, service);
  expect(home.parked()).toEqual([]);
  const rows = async () =>
    (await legacy.root.query('SELECT no, customer_id, phone, since FROM contact ORDER BY customer_id'))[0];
  expect(await rows()).toEqual([
    { no: 71, customer_id: 1, phone: '112', since: 9 },
    { no: expect.any(Number), customer_id: 2, phone: '222', since: null },
    { no: expect.any(Number), customer_id: 4, phone: '444', since: null },
  ]);
  const random = seeded(5);
  const pick = (limit: number) => Math.floor(random() * limit);
  for (let each = 0; each < 150; each++) {
    const id = 1 + pick(20);
    const phone = ['NULL', "'1'", "'22'"][pick(3)];
    const statements = [
      `INSERT IGNORE INTO client VALUES (${id}, 'x', ${phone}, ${1 + pick(2)}, NULL)`,
      `UPDATE client SET phone = ${phone} WHERE id BETWEEN ${id} AND ${id + 4}`,
      `UPDATE IGNORE client SET id = ${1 + pick(20)} WHERE id = ${id}`,
      `DELETE FROM client WHERE id = ${id}`,
    ];
    await service.root.query(statements[pick(statements.length)] ?? '');
  }
  await caughtUp(home, service);
  expect(home.parked()).toEqual([]);
  const [expected] = await service.root.query(
    'SELECT id customer_id, phone FROM client WHERE phone IS NOT NULL ORDER BY id',
  );
  const [found] = await legacy.root.query('SELECT customer_id, phone FROM contact ORDER BY customer_id');
  expect(found).toEqual(expected);
  const verification = await home.verify();
  expect(verification.tables.flatMap(({ samples }) => samples)).toEqual([]);
  expect(verification).toMatchObject({ clean: true, driftRows: 0 });
  await legacy.root.query("UPDATE contact SET phone = 'stray' ORDER BY customer_id LIMIT 1");
  // Once, although the table is gone through from either side.
  expect(await home.verify()).toMatchObject({ clean: false, driftRows: 1 });
});
