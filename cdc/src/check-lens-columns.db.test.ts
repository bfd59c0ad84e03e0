import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Plan, Problem } from '@strangler/contracts';
import { check, type RowsToTry } from './check.js';
import { controlSchemaOf } from './connect.js';
import { ensureTables, TARGET_TABLES } from './control-tables.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
let folder: string;
beforeEach(async () => {
  [from, to] = [await scratchDatabase('legacy'), await scratchDatabase('service')];
  folder = await mkdtemp(join(tmpdir(), 'strangler-lens-'));
  await from.root.query(
    "CREATE TABLE product (id INT PRIMARY KEY, code VARCHAR(20) COLLATE utf8mb4_bin, kind ENUM('a','b','c'), price DECIMAL(9,2), note TEXT, doubled DECIMAL(9,2) AS (price * 2))",
  );
  await to.root.query(
    'CREATE TABLE item (id INT PRIMARY KEY, code INT, kind VARCHAR(5), gross DECIMAL(9,2))',
  );
});
afterEach(async () => {
  await from.drop();
  await to.drop();
  await rm(folder, { recursive: true, force: true });
});

const planOf = (table: string, data = ''): Plan =>
  checkedPlan(
    from.url,
    to.url,
    `
        - from: product
          to: item
          ${table}`,
    { data, file: join(folder, 'plan.yaml') },
  );
const lines = (problems: readonly Problem[]) =>
  problems.map(
    ({ code, path, message, remedy }) =>
      `${code} ${path.replace('migrations.catalog.data.', '')}: ${message}: ${remedy}`,
  );
const BARE = 'key: { id: id }\n          columns: { kind: kind }\n          lost: [note, code, price]';
const told = async (table: string, data?: string, rows?: RowsToTry) =>
  lines(await check(planOf(table, data), rows));
const ASKED = { rows: 100, isAsked: true };

describe('columns of a mapping', () => {
  it('that another mapping of the same rows carries, or says to be lost, have a place', async () => {
    await from.root.query(
      'CREATE TABLE label (product_id INT PRIMARY KEY, text VARCHAR(9), size INT, weight INT)',
    );
    await to.root.query(
      'ALTER TABLE item ADD label VARCHAR(9); CREATE TABLE price (id INT PRIMARY KEY, amount DECIMAL(9,2)); CREATE TABLE size (id INT PRIMARY KEY, size INT, label VARCHAR(9))',
    );
    const two = (first: string, second: string, lost: string) => `key: { id: id }
          ${first}
          columns: { kind: kind }
          lost: [note]
          parts: [{ from: label, key: { id: product_id }, columns: { label: text }${lost} }]
        - { from: product, to: price, key: { id: id }, columns: { amount: price }, lost: [code]${second} }
        - { from: label, to: size, key: { id: product_id }, columns: { size: size, label: text } }`;
    const dropped = async (...given: [string, string, string]) =>
      (await told(two(...given))).map((line) => line.split(' of source')[0]);
    expect(await dropped('', '', ', lost: [weight]')).toEqual([]);
    expect(await dropped('', '', '')).toEqual([
      'COLUMN_DROPPED tables[0].parts[0]: column "weight"',
      'COLUMN_DROPPED tables[2]: column "weight"',
    ]);
    // Who carries some of the rows says nothing of the others.
    expect(await dropped('', ', where: { kind: a }', ', lost: [weight]')).toEqual([
      'COLUMN_DROPPED tables[0]: columns "code", "price"',
    ]);
    expect(await dropped('where: { kind: b }', '', ', lost: [weight]')).toEqual([
      'COLUMN_DROPPED tables[1]: columns "kind", "note"',
      'COLUMN_DROPPED tables[2]: column "weight"',
    ]);
  });

  it('that have no place in the target are a problem until they are declared; generated ones hold nothing of their own', async () => {
    expect(
      await told('key: { id: id }\n          columns: { kind: kind, code: { type: code, as: integer } }'),
    ).toEqual([
      'COLUMN_DROPPED tables[0]: columns "price", "note" of source table "product" have no place in the target, so what they hold would be lost without a word: map them, or write "lost: [price, note]"',
    ]);
    expect(await told(BARE)).toEqual([]);
    expect(
      await told(BARE.replace('price', 'id2').replace('lost', 'leaveOut: [price]\n          lost')),
    ).toEqual([
      'COLUMN_MISSING tables[0].lost: column "id2" is not in source table "product": correct the name or leave it out',
    ]);
  });

  it('that come while data flow keep nothing from starting again, unless the plan says so', async () => {
    await ensureTables(to.root, controlSchemaOf(to), TARGET_TABLES);
    await to.root.query(
      `INSERT INTO ${controlSchemaOf(to)}.apply_offset (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES ('catalog', 0, 0, 'x:1', '')`,
    );
    await from.root.query('ALTER TABLE product ADD later INT');
    expect(await told(BARE)).toEqual([]);
    expect(await told(BARE, 'addedColumns: stop')).toHaveLength(1);
  });

  it('that one side owns have to be there, and what a filter asks for has to be printed so', async () => {
    expect(
      await told(
        `${BARE}\n          owned: { source: [a], target: [b] }\n          where: { kind: d, price: 1, code: 7, id: [1, '01'] }`,
      ),
    ).toEqual([
      'COLUMN_MISSING tables[0].owned.target: column "b" is not in target table "item": correct the name or leave it out',
      `WHERE_NEVER tables[0].where.kind: asks for "d", and column "kind" of source table "product" is a "enum('a','b','c')", which never holds that: write a value as a SELECT prints it`,
      'WHERE_NEVER tables[0].where.price: asks for 1, and column "price" of source table "product" prints it as "1.00": write a value as a SELECT prints it',
      'WHERE_NEVER tables[0].where.id: asks for "01", and column "id" of source table "product" prints it as "1": write a value as a SELECT prints it',
      'COLUMN_MISSING tables[0].owned.source: column "a" is not in source table "product": correct the name or leave it out',
    ]);
  });
});

describe('rows of a source', () => {
  const LENS = `key: { id: id }
          columns: { code: { type: code, as: integer }, kind: { enum: kind, values: { a: A, b: B } } }
          lost: [note, price]`;

  it('are tried before the first copy: a value that comes back otherwise is a problem, wherever it stands', async () => {
    await from.root.query(
      `INSERT INTO product (id, code, kind) SELECT seq, seq, 'a' FROM (SELECT a.n + 10 * b.n + 100 * c.n + 1 seq FROM (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a, (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b, (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) c) s`,
    );
    expect(await told(LENS, '', ASKED)).toEqual([]);
    await from.root.query(
      "UPDATE product SET code = '00000500' WHERE id = 500; UPDATE product SET kind = 'c' WHERE id = 512",
    );
    expect(await told(LENS)).toEqual([
      expect.stringMatching(
        /^LAW_BROKEN tables\[0\]: row "500" of table "product": column "code" holds "00000500", which comes back as "500" \(1 of \d+ rows looked at\): name "code" under "lost"/,
      ),
    ]);
    // A value that the mapping has no answer for parks its row, so it is told only to who asks.
    expect(await told(LENS.replace('price]', 'price, code]'))).toEqual([]);
    expect(await told(LENS.replace('price]', 'price, code]'), '', ASKED)).toEqual([
      expect.stringMatching(
        /^VALUE_UNMAPPED tables\[0\]: row "512" of table "product": column "kind" holds "c", which "values" does not map/,
      ),
    ]);
  });

  it('that would have one key in the target are found', async () => {
    await from.root.query(
      "ALTER TABLE product DROP PRIMARY KEY, ADD PRIMARY KEY (code); INSERT INTO product (id, code) VALUES (1, '7'), (2, '07')",
    );
    await to.root.query('ALTER TABLE item DROP PRIMARY KEY, ADD PRIMARY KEY (code)');
    const found = await told(
      'key: { code: code }\n          columns: { id: id }\n          lost: [note, price, kind]',
    );
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^KEYS_COLLIDE .*column "code" has a key in the target that row "0?7" has as well/,
        ),
      ]),
    );
  });

  it('are tried with the functions of the plan, whose faults are told', async () => {
    await from.root.query('INSERT INTO product (id, price) VALUES (1, 10.00), (2, NULL)');
    const table = (back: string) =>
      `key: { id: id }\n          columns: { gross: { function: ./price.mjs#toGross, reads: [price], back: '${back}' } }\n          lost: [note, code, kind]`;
    expect(await told(table('./price.mjs#toNet').replaceAll('price.mjs', 'prices.mjs'))).toEqual([
      expect.stringMatching(
        /^FUNCTION_NOT_LOADED tables\[0\]: function ".*prices\.mjs#toGross" cannot be loaded \(.*\): correct its file/,
      ),
    ]);
    await writeFile(
      join(folder, 'price.mjs'),
      `export const toGross = ({ price }) => price === null ? null : (Number(price) * 1.19).toFixed(2);
       export const toNet = ({ gross }) => ({ price: gross === null ? null : (Number(gross) / 1.19).toFixed(2) });
       export const off = ({ gross }) => ({ price: gross === null ? null : '10.01' });
       export const bad = () => { throw new Error('not today'); };`,
    );
    expect(await told(table('./price.mjs#toNet'))).toEqual([]);
    expect(await told(table('./price.mjs#off'))).toEqual([
      expect.stringMatching(
        /^LAW_BROKEN .*row "1" of table "product": column "price" does not come back, for "gross" holds "11.90", which has no way back: on the way there it would become "11.91"/,
      ),
    ]);
    expect(await told(table('./price.mjs#bad'))).toEqual([
      expect.stringMatching(/^LAW_BROKEN .*"gross" is refused by "price.mjs#bad" \(not today\)/),
    ]);
    expect(await told(table('./price.mjs#none'))).toEqual([
      expect.stringMatching(/it exports no function "none"/),
    ]);
  });
});
