import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { check } from './check.js';
import { controlSchemaOf } from './connect.js';
import { ensureTables, TARGET_TABLES } from './control-tables.js';
import { examine } from './doctor.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';

const MAPPING = `
        - from: customer
          to: client
          key: { id: id }
          columns: { name: name }
          parts: [{ from: address, key: { id: customer_id }, columns: { street: street }, lost: [no] }]
          lookups: { country_id: { column: code, in: country, key: code, value: id } }
          lost: [code]`;

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
beforeEach(async () => {
  [from, to] = [await scratchDatabase('legacy'), await scratchDatabase('service')];
  await from.root.query(`CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(20), code VARCHAR(9));
    CREATE TABLE address (no INT PRIMARY KEY, customer_id INT, street VARCHAR(20));
    CREATE TABLE country (id INT PRIMARY KEY, code VARCHAR(9));
    INSERT INTO customer VALUES (1, 'Ann', 'DE'), (2, 'Bo', NULL);
    INSERT INTO address VALUES (10, 1, 'Elm'), (11, 2, 'Oak'), (12, NULL, 'a'), (13, NULL, 'b');
    INSERT INTO country VALUES (1, 'DE'), (2, NULL), (3, NULL)`);
  await to.root.query(
    'CREATE TABLE client (id INT PRIMARY KEY, name VARCHAR(20), street VARCHAR(20), country_id INT)',
  );
});
afterEach(async () => {
  await from.drop();
  await to.drop();
});

const plan = () => checkedPlan(from.url, to.url, MAPPING);
const problems = async () =>
  (await check(plan())).map(({ code, path, message }) => `${code} ${path.split('.data.')[1]}: ${message}`);

describe('two rows where one may be', () => {
  it('of a part, and of what is looked up in, are told before anything is copied, and nothing is written', async () => {
    expect(await problems()).toEqual([]);
    await from.root.query("INSERT INTO address VALUES (20, 1, 'Ash'); INSERT INTO country VALUES (9, 'DE')");
    expect(await problems()).toEqual([
      'PART_AMBIGUOUS tables[0].lookups.country_id: rows "1" and "9" of source table "country" have the same "code", and only one of them can be what "country_id" is looked up in: which one would be chance',
      'PART_AMBIGUOUS tables[0].parts[0]: rows "10" and "20" of source table "address" have the same "customer_id", and only one of them can belong to a row of target table "client": which one would be chance',
    ]);
    for (const { root, schema } of [from, to]) {
      const [schemas] = await root.query<RowDataPacket[]>(`SHOW DATABASES LIKE '${schema}\\_strangler'`);
      expect(schemas).toEqual([]);
    }
    const findings = (await examine(plan())).filter(({ code }) => code === 'PART_AMBIGUOUS');
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'refuses PART_AMBIGUOUS',
      'refuses PART_AMBIGUOUS',
    ]);
    const [rows] = await from.root.query<RowDataPacket[]>(findings[0]?.statements?.[0] ?? '');
    expect(rows.map((row) => Object.values(row).map(Number))).toEqual([[1, 9]]);
    await from.root.query('DELETE FROM address WHERE no = 20; DELETE FROM country WHERE id = 9');
    expect(await problems()).toEqual([]);
  });

  it('keep nothing from going on once rows were copied: one that comes later is parked', async () => {
    const control = controlSchemaOf(to);
    await ensureTables(to.root, control, TARGET_TABLES);
    await to.root.query(
      `INSERT INTO ${control}.apply_offset (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES ('catalog', 0, 0, 'x:1', '')`,
    );
    await from.root.query("INSERT INTO address VALUES (20, 1, 'Ash')");
    expect(await problems()).toEqual([]);
  });
});
