import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import { examine } from './doctor.js';
import { checkedPlan } from './testing/checked-plan.js';
import { engineOf, type ScratchDatabase, scratchDatabase } from './testing/databases.js';

const MAPPING = `
        - from: product
          to: item
          key: { id: id }
          columns: { title: name, minor: { minor: price, digits: 2 }, kind: { enum: kind, values: { a: A, b: B } }, town: { part: place, separator: ', ', index: 0 }, country: { part: place, separator: ', ', index: 1 } }`;
const SOURCE =
  'CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_bin, price DECIMAL(10,2), kind VARCHAR(9), place VARCHAR(40)) CHARSET utf8mb4';
const TARGET =
  'CREATE TABLE item (id INT PRIMARY KEY, title VARCHAR(20) COLLATE utf8mb4_general_ci, minor BIGINT, kind VARCHAR(9), town VARCHAR(40), country VARCHAR(40), own INT) CHARSET utf8mb4';
const ROWS = `INSERT INTO product VALUES (1, 'lamp', 1.50, 'a', 'Rome, IT'), (2, 'desk', -1.50, 'b', NULL), (3, NULL, NULL, NULL, 'Paris'), (4, 'LAMP', 7, 'a', NULL)`;

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
beforeEach(async () => {
  from = await scratchDatabase('legacy');
  to = await scratchDatabase('service');
  await from.root.query(SOURCE);
  await from.root.query(ROWS);
  await to.root.query(TARGET);
});
afterEach(async () => {
  await from.drop();
  await to.drop();
});

const look = () => examine(checkedPlan(from.url, to.url, MAPPING));
const failing = (findings: readonly Finding[]) => findings.filter(({ code }) => code === 'ROW_CHECK_FAILS');
const shown = (findings: readonly Finding[]) =>
  failing(findings).map(({ severity, path, message }) => `${severity} ${path}: ${message.split(' (')[0]}`);

describe('rows that a constraint of the target would refuse', () => {
  it.each<readonly [string, string]>([
    ['minor >= 0', '1 row of source table "product", "2" among them, has in "price"'],
    ["title <> 'lamp'", '2 rows of source table "product", "1" among them, have in "name"'],
    [
      "kind <> 'B' OR title <> '`minor` it''s \\\\' AND minor > 0",
      '1 row of source table "product", "2" among them, has in "kind", "name", "price"',
    ],
    ['id < 3', '2 rows of source table "product", "3" among them, have in "id"'],
  ])('are found: %s', async (expression, rows) => {
    await to.root.query(`ALTER TABLE item ADD CONSTRAINT some CHECK (${expression})`);
    const findings = await look();
    expect(shown(findings)).toEqual([
      `warns migrations.catalog.data.tables[0].to: ${rows} what constraint "some" of target table "item" refuses`,
    ]);
    for (const statement of failing(findings)[0]?.statements ?? []) await to.root.query(statement);
    expect(await look()).toEqual([]);
  });

  it('are found for a constraint of a column, which keeps all else', async () => {
    if ((await engineOf(to.root)) === 'mysql') return;
    await to.root.query("ALTER TABLE item MODIFY minor BIGINT COMMENT 'kept' CHECK (minor >= 0)");
    const findings = await look();
    expect(shown(findings)).toEqual([
      'warns migrations.catalog.data.tables[0].to: 1 row of source table "product", "2" among them, has in "price" what constraint "minor" of target table "item" refuses',
    ]);
    for (const statement of failing(findings)[0]?.statements ?? []) await to.root.query(statement);
    expect(await look()).toEqual([]);
    const [rows] = await to.root.query('SHOW CREATE TABLE item');
    expect(JSON.stringify(rows)).toContain("COMMENT 'kept'");
  });

  it.each([
    'minor > -1000',
    // Made by a rule that SQL cannot say, or not by the mapping.
    "town <> 'Rome'",
    'own > 7',
  ])('are not told where there are none, or none can be looked for: %s', async (expression) => {
    await to.root.query(`ALTER TABLE item ADD CONSTRAINT some CHECK (${expression})`);
    expect((await look()).map(({ code }) => code)).toEqual(['CHECK_CONSTRAINT']);
  });

  it('are not looked for where the source has the same', async () => {
    await from.root.query('ALTER TABLE product ADD CONSTRAINT held CHECK (id < 5)');
    await to.root.query('ALTER TABLE item ADD CONSTRAINT held CHECK (id < 5)');
    expect((await look()).map(({ code }) => code)).toEqual(['CHECK_CONSTRAINT']);
  });
});
