import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import type { MigrationSync, MigrationSyncOptions } from './migration-sync.js';
import { reversedData } from './reversed-data.js';
import { type ScratchDatabase, scratchDatabase, seeded } from './testing/databases.js';
import { caughtUp, syncBetween } from './testing/lens-sync.js';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let legacy: Scratch;
let service: Scratch;
let back: Scratch;
const running: MigrationSync[] = [];
beforeEach(async () => {
  [legacy, service, back] = [
    await scratchDatabase('legacy'),
    await scratchDatabase('service'),
    await scratchDatabase('back'),
  ];
  for (const { root } of [legacy, back]) await root.query(LEGACY);
  await service.root.query(SERVICE);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  for (const database of [legacy, service, back]) await database.drop();
});

const LEGACY = `
  CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(40), note VARCHAR(40), height INT, labels VARCHAR(200), country_code VARCHAR(9), secret VARCHAR(9));
  CREATE TABLE customer_address (customer_id INT PRIMARY KEY, street VARCHAR(40), paid CHAR(1));
  CREATE TABLE customer_tag (no INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, place INT NOT NULL, tag VARCHAR(20) NOT NULL, UNIQUE (customer_id, place));
  CREATE TABLE country (id INT PRIMARY KEY, code VARCHAR(9) NOT NULL UNIQUE, name VARCHAR(20));
  CREATE TABLE mail (id INT PRIMARY KEY, text VARCHAR(20));
  CREATE TABLE letter (id INT PRIMARY KEY, text VARCHAR(20));`;
const SERVICE = `
  CREATE TABLE client (id INT PRIMARY KEY, name VARCHAR(40), street VARCHAR(40), is_paid BOOLEAN, country_id INT, tags VARCHAR(200), own VARCHAR(9) DEFAULT 'own');
  CREATE TABLE client_details (client_id INT PRIMARY KEY, remark VARCHAR(40), height_m VARCHAR(20));
  CREATE TABLE client_label (client_id INT, place INT, label VARCHAR(20), PRIMARY KEY (client_id, place));
  CREATE TABLE land (land_id INT PRIMARY KEY, iso VARCHAR(9), title VARCHAR(20));
  CREATE TABLE message (kind VARCHAR(9), id INT, body VARCHAR(20), PRIMARY KEY (kind, id));`;

const DATA: MigrationData = {
  from: 'legacy',
  to: 'service',
  chunkRows: 20,
  tables: [
    tableMappingSchema.parse({
      from: 'customer',
      to: 'client_details',
      key: { client_id: 'id' },
      columns: { remark: 'note', height_m: { type: 'height', as: 'text' } },
      split: [
        {
          to: 'client_label',
          column: 'labels',
          key: { client_id: 'id' },
          item: 'label',
          position: 'place',
        },
      ],
      lost: ['secret'],
    }),
    tableMappingSchema.parse({
      from: 'customer',
      to: 'client',
      key: { id: 'id' },
      columns: { name: 'name' },
      parts: [
        {
          from: 'customer_address',
          key: { id: 'customer_id' },
          columns: { street: 'street', is_paid: { type: 'paid', as: 'boolean', format: 'Y/N' } },
          absent: { street: 'nowhere' },
        },
      ],
      lookups: { country_id: { column: 'country_code', in: 'country', key: 'code', value: 'id' } },
      lists: {
        tags: {
          from: 'customer_tag',
          key: { id: 'customer_id' },
          item: 'tag',
          order: 'place',
          separator: '|',
        },
      },
    }),
    tableMappingSchema.parse({
      from: 'country',
      to: 'land',
      key: { land_id: 'id' },
      columns: { iso: 'code', title: 'name' },
    }),
    ...['mail', 'letter'].map((kind) =>
      tableMappingSchema.parse({
        from: kind,
        to: 'message',
        discriminator: { kind },
        key: { id: 'id' },
        columns: { body: 'text' },
      }),
    ),
  ],
};

function start(
  name: string,
  from: Scratch,
  to: Scratch,
  data: MigrationData,
  options: Partial<MigrationSyncOptions> = {},
) {
  const sync = syncBetween({ name, from, to, data }, options);
  running.push(sync);
  void sync.wish('run');
  return sync;
}

async function write(random: () => number, count: number): Promise<void> {
  const pick = (limit: number) => Math.floor(random() * limit);
  const text = () => ["'a'", "'b c'", 'NULL', "'ü'", "'longer text'"][pick(5)];
  const code = () => ["'DE'", "'FR'", "'IT'", 'NULL'][pick(4)];
  for (let each = 0; each < count; each++) {
    const id = 1 + pick(40);
    const tags = `DELETE FROM customer_tag WHERE customer_id = ${id}; INSERT INTO customer_tag (customer_id, place, tag) VALUES ${Array.from({ length: 1 + pick(4) }, (_, place) => `(${id}, ${place}, 't${pick(3)}')`).join()}`;
    const statements = [
      `INSERT IGNORE INTO customer VALUES (${id}, ${text()}, ${text()}, ${pick(200)}, 'x,y,x', ${code()}, 's')`,
      `UPDATE customer SET name = ${text()}, note = ${text()}, height = ${pick(9)} WHERE id = ${id}`,
      `UPDATE customer SET labels = ${["'a'", 'NULL', "'b,a,b'"][pick(3)]}, country_code = ${code()} WHERE id BETWEEN ${id} AND ${id + 5}`,
      `UPDATE IGNORE customer SET id = ${1 + pick(40)} WHERE id = ${id}`,
      `DELETE FROM customer WHERE id = ${id}; DELETE FROM customer_address WHERE customer_id = ${id}; DELETE FROM customer_tag WHERE customer_id = ${id}`,
      `REPLACE INTO customer_address VALUES (${id}, ${text()}, ${["'Y'", "'N'", 'NULL'][pick(3)]})`,
      `DELETE FROM customer_address WHERE customer_id = ${id}`,
      tags,
      `DELETE FROM customer_tag WHERE customer_id = ${id}`,
      `REPLACE INTO mail VALUES (${id}, ${text()})`,
      `REPLACE INTO letter VALUES (${id}, ${text()}); DELETE FROM mail WHERE id = ${id + 1}`,
    ];
    await legacy.root.query(statements[pick(statements.length)] ?? '');
  }
}

/** Rows that come back: of what hangs on a customer only where there is one, and of addresses only such that say anything. */
const COMES_BACK = {
  customer: 'SELECT id, name, note, height, labels, country_code FROM customer ORDER BY id',
  customer_address: `SELECT a.* FROM customer_address a JOIN customer c ON c.id = a.customer_id
    WHERE NOT (street <=> 'nowhere' AND paid IS NULL) ORDER BY customer_id`,
  customer_tag:
    'SELECT customer_id, place, tag FROM customer_tag JOIN customer ON id = customer_id ORDER BY 1, 2',
  country: 'SELECT * FROM country ORDER BY id',
  mail: 'SELECT * FROM mail ORDER BY id',
  letter: 'SELECT * FROM letter ORDER BY id',
};
async function cameBack(): Promise<void> {
  for (const [table, sql] of Object.entries(COMES_BACK))
    expect({ table, rows: (await back.root.query(sql))[0] }).toEqual({
      table,
      rows: (await legacy.root.query(sql))[0],
    });
}

it('rows that were taken apart and put together come back as they were, copied and followed, and both ways are verified', async () => {
  const random = seeded(23);
  await legacy.root.query("INSERT INTO country VALUES (1, 'DE', 'north'), (2, 'FR', NULL), (3, 'IT', 'x')");
  await write(random, 200);
  const there = start('there', legacy, service, DATA);
  await caughtUp(there, legacy);
  const home = start('home', service, back, reversedData(DATA));
  await caughtUp(home, service);
  expect([...there.parked(), ...home.parked()]).toEqual([]);
  await cameBack();

  await write(random, 300);
  await legacy.root.query(
    "UPDATE country SET code = 'AT' WHERE code = 'IT'; UPDATE customer SET country_code = 'AT' WHERE country_code = 'IT'",
  );
  await caughtUp(there, legacy);
  await caughtUp(home, service);
  expect([...there.parked(), ...home.parked()]).toEqual([]);
  await cameBack();
  for (const sync of [there, home]) {
    const verification = await sync.verify();
    expect(verification.tables.flatMap(({ samples }) => samples)).toEqual([]);
    expect(verification).toMatchObject({ clean: true, driftRows: 0 });
  }
});

it('what the service writes goes to where it came from; what has no way back is parked', async () => {
  await legacy.root.query(
    `INSERT INTO country VALUES (1, 'DE', 'north'), (2, 'FR', NULL);
     INSERT INTO customer VALUES (1, 'Ann', 'n', 170, 'x,y', 'DE', 'kept'), (2, 'Bob', NULL, NULL, NULL, NULL, 'kept');
     INSERT INTO customer_address VALUES (1, 'Elm 4', 'Y'); INSERT INTO customer_tag (customer_id, place, tag) VALUES (1, 0, 'a'), (1, 1, 'b')`,
  );
  const there = start('there', legacy, service, DATA);
  await caughtUp(there, legacy);
  await there.stop();
  const home = start('home', service, legacy, reversedData(DATA), { beginsEqual: true });
  await caughtUp(home, service);
  await service.root.query(
    `UPDATE client SET name = 'Eve', street = 'Oak 1', country_id = 2, tags = 'b|c|a' WHERE id = 1;
     UPDATE client SET street = 'new', is_paid = 0, tags = 'z' WHERE id = 2;
     UPDATE client_details SET remark = 'other', height_m = '5' WHERE client_id = 1;
     INSERT INTO client_label VALUES (2, 0, 'l'), (2, 1, 'k'); UPDATE client_label SET label = 'v' WHERE client_id = 1 AND place = 0;
     INSERT INTO client (id, name, street, country_id) VALUES (3, 'Cy', 'nowhere', 1), (4, 'bad', 'nowhere', 77);
     INSERT INTO message VALUES ('mail', 1, 'm'), ('letter', 1, 'l')`,
  );
  await caughtUp(home, service);
  const rows = async (sql: string) => (await legacy.root.query(sql))[0];
  expect(await rows('SELECT * FROM customer WHERE id < 4 ORDER BY id')).toEqual([
    { id: 1, name: 'Eve', note: 'other', height: 5, labels: 'v,y', country_code: 'FR', secret: 'kept' },
    { id: 2, name: 'Bob', note: null, height: null, labels: 'l,k', country_code: null, secret: 'kept' },
    { id: 3, name: 'Cy', note: null, height: null, labels: null, country_code: 'DE', secret: null },
  ]);
  expect(await rows('SELECT * FROM customer_address ORDER BY 1')).toEqual([
    { customer_id: 1, street: 'Oak 1', paid: 'Y' },
    { customer_id: 2, street: 'new', paid: 'N' },
  ]);
  expect(
    await rows('SELECT customer_id, GROUP_CONCAT(tag ORDER BY place) tags FROM customer_tag GROUP BY 1'),
  ).toEqual([
    { customer_id: 1, tags: 'b,c,a' },
    { customer_id: 2, tags: 'z' },
  ]);
  expect(await rows('SELECT * FROM mail')).toEqual([{ id: 1, text: 'm' }]);
  expect(await rows('SELECT * FROM letter')).toEqual([{ id: 1, text: 'l' }]);
  expect(home.parked()).toMatchObject([{ key: 'customer:4', code: 'LOOKUP_MISSING' }]);

  await service.root.query(
    `UPDATE client SET street = 'nowhere', is_paid = NULL WHERE id = 2; DELETE FROM client WHERE id = 4; UPDATE client SET tags = 'a||b' WHERE id = 1;
     DELETE FROM message WHERE kind = 'mail'`,
  );
  await caughtUp(home, service);
  expect(await rows('SELECT customer_id FROM customer_address')).toEqual([{ customer_id: 1 }]);
  expect(await rows('SELECT * FROM mail')).toEqual([]);
  expect(await rows('SELECT * FROM letter')).toHaveLength(1);
  await home.settleParked({});
  expect(home.parked()).toMatchObject([
    {
      key: 'customer:1',
      problem: expect.stringContaining(
        'column "tags" holds "a||b", which has no way back: on the way there it would become "a|b"',
      ),
    },
  ]);
});
