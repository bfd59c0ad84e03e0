import { describe, expect, it } from '@jest/globals';
import type { Row } from '@strangler/contracts';
import type { Column } from './column.js';
import { rangeEnds } from './range-ends.js';
import type { Table } from './table.js';
import { seeded } from './testing/databases.js';

const integer = (type: string): Column => ({
  name: 'id',
  type,
  charset: null,
  nullable: false,
  hasDefault: false,
  generated: false,
  kind: 'integer',
  labels: [],
});
const tableOf = (column: Column): Table => ({
  database: 'shop',
  name: 'product',
  columns: [column],
  primaryKey: [column.name],
});

/** Goes through a table that has these keys, and answers how many of them each range has and how often the server was asked. */
async function walk(keys: readonly bigint[], size: number, type = 'bigint(20)') {
  let asked = 0;
  /** The place of the first key behind this one. */
  const behind = (after: Row | null) => {
    if (!after) return 0;
    const key = BigInt(String(after['id']));
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] ?? 0n) > key) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const ask = async (after: Row | null, most: number) => {
    asked++;
    const end = keys[behind(after) + most - 1];
    return end === undefined ? null : { id: String(end) };
  };
  const ends = rangeEnds(tableOf(integer(type)), ['id'], ask);
  const counts: number[] = [];
  let after: Row | null = null;
  for (;;) {
    const upTo: Row | null = await ends.next(after, size);
    const rows = (upTo ? behind(upTo) : keys.length) - behind(after);
    counts.push(rows);
    ends.found({ after, upTo }, rows);
    if (upTo === null) return { counts, asked };
    after = upTo;
  }
}
const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
const upTo = (count: number, from = 1n, step = 1n) =>
  Array.from({ length: count }, (_, index) => from + BigInt(index) * step);

describe('the ends of ranges', () => {
  it('are counted and not asked for where few numbers are left out', async () => {
    const { counts, asked } = await walk(upTo(100_000), 1_000);
    expect(counts.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 1_000));
    expect(asked).toBeLessThan(5);
  });

  it('leave no key out and have no more rows than is wished, however the keys lie', async () => {
    const cases = {
      sparse: upTo(20_000, -7n, 1_000_003n),
      'all alike, then far away': [...upTo(5_000), ...upTo(5_000, 1n << 60n), ...upTo(5_000, 1n << 62n, 7n)],
      'a few, then many': [...upTo(50, -(1n << 50n), 1n << 40n), ...upTo(50_000, 1n << 55n)],
      'up to the last number there is': upTo(5_000, (1n << 63n) - 5_000n),
      'below nothing': upTo(5_000, -10_000n),
      none: [],
      one: [5n],
    };
    for (const [what, keys] of Object.entries(cases)) {
      const { counts } = await walk(keys, 100);
      expect({ what, all: sum(counts), most: Math.max(...counts) <= 100 }).toEqual({
        what,
        all: keys.length,
        most: true,
      });
      // Those that are counted in vain are few.
      expect({ what, ranges: counts.length <= keys.length / 25 + 10 }).toEqual({ what, ranges: true });
    }
    for (let seed = 1; seed <= 50; seed++) {
      const random = seeded(seed);
      const keys: bigint[] = [];
      let key = -1_000n;
      let step = 1;
      for (let count = 0; count < 3_000; count++) {
        if (random() < 0.005) step = 1 + Math.floor(random() * 1_000) * Math.floor(random() * 2);
        keys.push((key += BigInt(1 + Math.floor(random() * step))));
      }
      const { counts } = await walk(keys, 1 + Math.floor(random() * 200));
      expect({ seed, all: sum(counts) }).toEqual({ seed, all: keys.length });
    }
  });

  it('are asked for where the key is anything else than one whole number', async () => {
    const text: Column = { ...integer('varchar(20)'), kind: 'text', charset: 'utf8mb4' };
    for (const [column, names] of [
      [text, ['id']],
      [integer('int'), ['id', 'other']],
    ] as const) {
      const ends = rangeEnds(tableOf(column), names, async () => ({ id: 'asked' }));
      ends.found({ after: { id: '0' }, upTo: { id: '10' } }, 10);
      expect(await ends.next({ id: '10' }, 10)).toEqual({ id: 'asked' });
    }
  });
});
