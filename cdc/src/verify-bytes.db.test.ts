import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { compareRow, expectedOf } from './compare-rows.js';
import { connect } from './connect.js';
import { rawStream } from './raw-stream.js';
import { readRows } from './sql.js';
import { pairOf, type TablePair } from './table-pair.js';
import { scratchDatabase, seeded } from './testing/databases.js';
import { newTally } from './verification-tally.js';
import { verifyPasses } from './verify-passes.js';

const ROWS = 3_000;
const NAMES = ['word', 'amount', 'at', 'bytes', 'single', 'flags', 'thing'] as const;
const TYPES = `id INT PRIMARY KEY, word VARCHAR(40) COLLATE utf8mb4_unicode_ci, amount DECIMAL(20,3), at DATETIME(6), bytes VARBINARY(20), single FLOAT, flags BIT(9), thing ENUM('a','A b','ü')`;
/** Values that a careless comparison takes for each other lie side by side. */
const VALUES: Readonly<Record<(typeof NAMES)[number], readonly string[]>> = {
  word: ["''", 'NULL', "' '", "'a'", "'A'", "'a '", "'ä'", "'🚲'", "'NULL'", "'0'", "'00'", "'a,b'"],
  amount: ['NULL', '0', '1.5', '1.501', '-1.5', '12345678901234567.123', '12345678901234567.124'],
  at: ['NULL', "'2024-02-29 00:00:00'", "'2024-02-29 00:00:00.000001'", "'0001-01-01'"],
  bytes: ['NULL', "''", "X'00'", "X'0000'", "X'FB'", "X'FF00'", "'a'", "'a '"],
  single: ['NULL', '0', '0.1', '1e30', '0.10000001', '-0.1'],
  flags: ['NULL', "b'0'", "b'1'", "b'100000001'"],
  thing: ['NULL', "'a'", "'A b'", "'ü'"],
};

type Scratch = Awaited<ReturnType<typeof scratchDatabase>>;
let from: Scratch;
let to: Scratch;
let source: Connection;
let target: Connection;
let pair: TablePair;

beforeAll(async () => {
  from = await scratchDatabase('bytes_from');
  to = await scratchDatabase('bytes_to');
  await from.root.query(`CREATE TABLE one (${TYPES})`);
  await to.root.query(`CREATE TABLE other (${TYPES})`);
  source = await connect(from, [], { stream: rawStream });
  target = await connect(to, [], { stream: rawStream });
  const mapping = tableMappingSchema.parse({
    from: 'one',
    to: 'other',
    key: { id: 'id' },
    columns: Object.fromEntries(NAMES.map((name) => [name, name])),
  });
  pair = await pairOf('one', mapping, from, source, to, target);
}, 60_000);
afterAll(async () => {
  source.destroy();
  target.destroy();
  await from.drop();
  await to.drop();
});

/** Fills both sides with the same rows of those values. */
async function fill(random: () => number): Promise<void> {
  const one = (values: readonly string[]) => values[Math.floor(random() * values.length)] ?? 'NULL';
  const rows = Array.from(
    { length: ROWS },
    (_, index) => `(${[String(index + 1), ...NAMES.map((name) => one(VALUES[name]))].join(', ')})`,
  ).join(', ');
  await from.root.query(`DELETE FROM one; INSERT INTO one VALUES ${rows}`);
  await to.root.query(`DELETE FROM other; INSERT INTO other VALUES ${rows}`);
}

/** Keys that the ranges call doubtful. */
async function doubtful(): Promise<readonly number[]> {
  const [pass] = verifyPasses(pair);
  const tally = newTally(pair);
  const found: number[] = [];
  const ends = [null, 1, 700, 701, 2_500, null];
  for (const [index, end] of ends.slice(1).entries()) {
    const key = (id: number | null | undefined) => (id ? { id: String(id) } : null);
    const range = { after: key(ends[index]), upTo: key(end) };
    const looked = await pass?.look({ source, target }, range, tally, async () => {});
    found.push(...(looked?.doubtful ?? []).map((row) => Number(row['id'])));
  }
  return found.toSorted((a, b) => a - b);
}

/** Keys that differ when each row is compared by its values, as the driver decodes them. */
async function differing(): Promise<readonly number[]> {
  const names = ['id', ...NAMES];
  const read = async (connection: Connection, table: TablePair['source']) =>
    new Map((await readRows(connection, table, names, '')).map((row) => [Number(row['id']), row]));
  const here = await read(source, pair.source);
  const there = await read(target, pair.target);
  return [...new Set([...here.keys(), ...there.keys()])]
    .filter((id) => {
      const row = here.get(id);
      const found = { row: there.get(id), children: [] };
      return compareRow(pair, row && expectedOf(pair, row), found).length > 0;
    })
    .toSorted((a, b) => a - b);
}

describe('ranges that are compared by their bytes', () => {
  it('call doubtful exactly what differs by its values, whatever the values', async () => {
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed);
      await fill(random);
      expect({ seed, doubtful: await doubtful() }).toEqual({ seed, doubtful: [] });
      // The same value may be written again: that is no difference.
      for (let count = 0; count < 120; count++) {
        const name = NAMES[Math.floor(random() * NAMES.length)] ?? 'word';
        const value = VALUES[name][Math.floor(random() * VALUES[name].length)];
        const id = 1 + Math.floor(random() * ROWS);
        await to.root.query(`UPDATE other SET ${name} = ${value} WHERE id = ${id}`);
      }
      const wanted = await differing();
      expect(wanted.length).toBeGreaterThan(50);
      expect({ seed, doubtful: await doubtful() }).toEqual({ seed, doubtful: wanted });
      await to.root.query('DELETE FROM other WHERE id % 500 = 0');
      await to.root.query('INSERT INTO other (id) VALUES (-5), (0), (100000)');
      await from.root.query('INSERT INTO one (id) VALUES (-7), (200000)');
      const more = await differing();
      expect(more).toEqual(expect.arrayContaining([-7, -5, 0, 500, 3_000, 100_000, 200_000]));
      expect({ seed, doubtful: await doubtful() }).toEqual({ seed, doubtful: more });
    }
  }, 60_000);

  const PLANTED: Readonly<Record<string, readonly [right: string, wrong: string]>> = {
    'another case': ["word = 'abc'", "word = 'aBc'"],
    'a blank at the end': ["word = 'abc'", "word = 'abc '"],
    'an accent': ["word = 'abc'", "word = 'äbc'"],
    'NULL for an empty text': ["word = ''", 'word = NULL'],
    'the last digit': ['amount = 12345678901234567.123', 'amount = 12345678901234567.124'],
    'a microsecond': ["at = '2024-02-29 23:59:59.999998'", "at = '2024-02-29 23:59:59.999999'"],
    'a zero byte': ["bytes = X'61'", "bytes = X'6100'"],
    'values that have changed places': ["word = '1', bytes = '2'", "word = '2', bytes = '1'"],
  };
  for (const [what, [right, wrong]] of Object.entries(PLANTED))
    it(`find ${what} in one row of many`, async () => {
      await fill(seeded(7));
      await from.root.query(`UPDATE one SET ${right} WHERE id = 1234`);
      await to.root.query(`UPDATE other SET ${right} WHERE id = 1234`);
      expect(await doubtful()).toEqual([]);
      await to.root.query(`UPDATE other SET ${wrong} WHERE id = 1234`);
      expect(await doubtful()).toEqual([1234]);
    });
});
