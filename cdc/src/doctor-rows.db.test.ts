import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { check } from './check.js';
import { examine } from './doctor.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
beforeEach(async () => {
  from = await scratchDatabase('legacy');
  to = await scratchDatabase('service');
});
afterEach(async () => {
  await from.drop();
  await to.drop();
});

const shown = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);

/** One column of `given` that becomes one of `taken`, by `rule`, and what the doctor says of the values. */
async function column(given: string, taken: string, values: readonly string[], rule = 'v', ddl = '') {
  await from.root.query(
    `SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE product (id INT PRIMARY KEY, v ${given}) CHARSET utf8mb4`,
  );
  await to.root.query(`CREATE TABLE item (id INT PRIMARY KEY, w ${taken}) CHARSET utf8mb4; ${ddl}`);
  for (const [index, value] of values.entries())
    await from.root.query(`INSERT INTO product VALUES (${index + 1}, ${value})`);
  const plan = checkedPlan(
    from.url,
    to.url,
    `
        - { from: product, to: item, key: { id: id }, columns: { w: ${rule} } }`,
  );
  return { plan, findings: await examine(plan) };
}

const some = (what: string) => `1 row of source table "product", "2" among them, has in "v" ${what}`;

describe('of rows the doctor finds what the target would refuse', () => {
  it.each<readonly [string, string, string, readonly string[], string]>([
    [
      'ROW_NULL',
      'INT',
      'INT NOT NULL DEFAULT 3',
      ['1', 'NULL'],
      'NULL, and column "w" of target table "item" must have a value',
    ],
    [
      'ROW_TOO_LONG',
      'VARCHAR(20)',
      'VARCHAR(4) NULL',
      ["'äöüß'", "'äöüßx'"],
      'more than the 4 letters that column "w" of target table "item" holds',
    ],
    [
      'ROW_TOO_LONG',
      'TEXT',
      'TINYTEXT',
      ["REPEAT('x', 255)", "REPEAT('ü', 128)"],
      'more than the 255 bytes that column "w" of target table "item" holds',
    ],
    [
      'ROW_TOO_LONG',
      'VARBINARY(20)',
      'VARBINARY(2)',
      ['0x0102', '0x010203'],
      'more than the 2 bytes that column "w" of target table "item" holds',
    ],
    [
      'ROW_NOT_IN_CHARSET',
      'VARCHAR(20)',
      "VARCHAR(20) CHARACTER SET latin1 DEFAULT 'x'",
      ["'ü'", "'Ω'"],
      'letters that column "w" of target table "item" (latin1) does not have',
    ],
    [
      'ROW_NOT_IN_CHARSET',
      'VARCHAR(20)',
      'VARCHAR(20) CHARACTER SET utf8mb3',
      ["'Ω'", '_utf8mb4 0xF09F9880'],
      'letters that column "w" of target table "item" (utf8mb3) does not have',
    ],
    [
      'ROW_OUT_OF_RANGE',
      'INT',
      'SMALLINT',
      ['-32768', '32768'],
      'a number outside of -32768 to 32767, which column "w" of target table "item" holds',
    ],
    [
      'ROW_OUT_OF_RANGE',
      'BIGINT',
      'INT UNSIGNED',
      ['4294967295', '-1'],
      'a number outside of 0 to 4294967295, which column "w" of target table "item" holds',
    ],
    [
      'ROW_OUT_OF_RANGE',
      'DECIMAL(12,2)',
      'DECIMAL(6,2)',
      ['9999.99', '10000.00'],
      'a number outside of -9999.99 to 9999.99, which column "w" of target table "item" holds',
    ],
    [
      'ROW_LABEL_UNKNOWN',
      "ENUM('a','b')",
      "ENUM('a')",
      ["'a'", "'b'"],
      'a label that column "w" of target table "item" does not have, or none',
    ],
  ])('%s: %s into %s', async (code, given, taken, values, what) => {
    const { plan, findings } = await column(given, taken, values);
    expect(shown(findings)).toEqual([`warns ${code}: ${some(what)}`]);
    expect(await check(plan)).toEqual([]);
    // What it says to run on the target lets it take them.
    for (const statement of findings[0]?.statements ?? []) await to.root.query(statement);
    expect(await examine(plan)).toEqual([]);
    await to.root.query(
      `SET sql_mode = 'STRICT_ALL_TABLES'; INSERT INTO item SELECT * FROM ${from.schema}.product`,
    );
  });

  it.each<readonly [string, string, string, readonly string[], string, string]>([
    [
      'ROW_DATE_INVALID',
      'DATE',
      'DATE',
      ["'0000-00-00'", "'2021-02-31'", "'2021-02-28'"],
      'v',
      'a date that is none, such as 2021-02-31',
    ],
    [
      'ROW_DATE_INVALID',
      'DATETIME',
      'DATETIME',
      ["'2021-02-28'", "'2021-00-15'"],
      '{ utc: v, zone: Europe/Berlin }',
      'a date with a zero in it, which is no moment, or one that is none',
    ],
    [
      'ROW_LABEL_UNKNOWN',
      'VARCHAR(9)',
      'VARCHAR(9)',
      ["'a'", "'A'"],
      "{ enum: v, values: { a: 'x', 'it''s': y } }",
      'a value that "values" does not map',
    ],
  ])('%s, with the statement that lists them: %s into %s', async (code, given, taken, values, rule, what) => {
    const { findings } = await column(given, taken, values, rule);
    expect(shown(findings)).toEqual([`warns ${code}: ${some(what)}`]);
    const [rows] = await from.root.query<RowDataPacket[]>(findings[0]?.statements?.[0] ?? '');
    expect(rows).toEqual([{ id: 2 }]);
  });

  it('times that a TIMESTAMP does not reach, and none of those that it does', async () => {
    const { findings } = await column('DATETIME', 'TIMESTAMP NULL', [
      "'2038-01-19 03:14:07'",
      "'2039-01-01'",
      "'0000-00-00'",
    ]);
    expect(shown(findings)[1]).toBe(
      `warns ROW_OUT_OF_RANGE: ${some('a time that column "w" of target table "item", a TIMESTAMP, does not reach')}`,
    );
    expect(findings.map(({ code }) => code)).toEqual(['COLUMN_TIME_ZONE', 'ROW_OUT_OF_RANGE']);
  });

  it('two rows that a unique key of the target takes for one, by name', async () => {
    const { findings } = await column(
      'VARCHAR(9) COLLATE utf8mb4_bin UNIQUE',
      'VARCHAR(9) COLLATE utf8mb4_general_ci UNIQUE',
      ["'a'", "'b'", "'A'", 'NULL', 'NULL'],
    );
    expect(shown(findings)).toEqual([
      'warns ROWS_COLLIDE: rows "1" and "3" of source table "product" are one by unique key "w" of target table "item": one of them would be parked',
      expect.stringMatching(/^warns UNIQUE_COARSER/),
    ]);
    const [rows] = await from.root.query<RowDataPacket[]>(findings[0]?.statements?.[0] ?? '');
    expect(rows).toHaveLength(1);
  });

  it('nothing where everything fits, with the largest of each type', async () => {
    const { findings } = await column('BIGINT UNSIGNED', 'DECIMAL(20,0)', [
      '18446744073709551615',
      '0',
      'NULL',
    ]);
    expect(findings).toEqual([]);
  });

  it('for a bounded time: where all rows take longer, the first and the last', async () => {
    const { plan } = await column('VARCHAR(20)', 'VARCHAR(4)', []);
    const digits =
      '(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)';
    await from.root.query(
      `INSERT INTO product SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d, 'ok' FROM ${digits} a, ${digits} b, ${digits} c, ${digits} e, ${digits} f WHERE f.d < 4; UPDATE product SET v = 'too long' WHERE id IN (3, 20000, 39999)`,
    );
    const findings = await examine(plan, { rowsMs: 1, sampleRows: 100 });
    expect(shown(findings)).toEqual([
      'warns ROW_TOO_LONG: 2 rows of source table "product", "3" among them, have in "v" more than the 4 letters that column "w" of target table "item" holds',
      'tells ROWS_SAMPLED: of source table "product" only the first and the last 100 rows were looked at, because more takes longer than 1 ms',
    ]);
    const [rows] = await from.root.query<RowDataPacket[]>(findings[1]?.statements?.[0] ?? '');
    expect(rows).toHaveLength(3);
    expect(shown(await examine(plan))).toEqual([expect.stringMatching(/^warns ROW_TOO_LONG: 3 rows/)]);
  });
});
