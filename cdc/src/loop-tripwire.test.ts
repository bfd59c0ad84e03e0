import { describe, expect, it } from '@jest/globals';
import { type ChangeEvent, tableMappingSchema } from '@strangler/contracts';
import { fakeSource } from './fake-source.js';
import { withTripwire } from './loop-tripwire.js';
import { compileMapping } from './map.js';
import type { TablePair } from './table-pair.js';

const map = compileMapping(
  tableMappingSchema.parse({ from: 'product', to: 'item', key: { id: 'id' }, columns: { title: 'name' } }),
);
const product = { database: 'shop', name: 'product', columns: [], primaryKey: ['id'] };
const pair: TablePair = {
  name: 'product',
  map,
  source: product,
  target: { ...product, name: 'item' },
  children: [],
  parentOf: () => ({}),
  childColumns: () => [],
};
const change = (id: number, from: string, to: string): ChangeEvent => ({
  operation: 'update',
  database: 'shop',
  table: 'product',
  before: { id: String(id), name: from },
  after: { id: String(id), name: to },
});

/** Changes, each at its second, as far as they come through; then the code of what ended it. */
async function through(changes: readonly (readonly [second: number, change: ChangeEvent])[], keys = 100) {
  const source = fakeSource();
  for (const [, each] of changes) source.commit(each);
  const end = new AbortController();
  let count = 0;
  const limits = { crossings: 3, windowMs: 30_000, keys };
  const now = () => (changes[count]?.[0] ?? 0) * 1_000;
  try {
    for await (const _ of withTripwire(source, { ...limits, pairs: [pair], now }).stream(
      { text: '0' },
      end.signal,
    ))
      if (++count === changes.length) end.abort();
  } catch (error) {
    return `${count} ${(error as Error).message.slice(0, 26)}`;
  }
  return count;
}
const round = (id: number, times: number, everySeconds: number) =>
  Array.from({ length: times }, (_, index) => [
    [index * everySeconds, change(id, 'x', 'y')] as const,
    [index * everySeconds, change(id, 'y', 'x')] as const,
  ]).flat();

describe('the tripwire', () => {
  it('stops a stream when the same change of a row comes a fourth time', async () => {
    expect(await through(round(7, 3, 1))).toBe(6);
    expect(await through(round(7, 9, 1))).toBe('6 row "7" of table "product"');
  });

  it('lets rows change as often as they like, and come back to a content now and then', async () => {
    const counter = Array.from(
      { length: 500 },
      (_, index) => [0, change(7, `${index}`, `${index + 1}`)] as const,
    );
    expect(await through(counter)).toBe(500);
    expect(await through(round(7, 20, 11))).toBe(40);
  });

  it('remembers no more rows than it may', async () => {
    const many = Array.from({ length: 9 }, () =>
      Array.from({ length: 5 }, (_, id) => [0, change(id, 'x', 'y')] as const),
    ).flat();
    expect(await through(many, 4)).toBe(45);
    expect(await through(many, 5)).toBe('15 row "0" of table "product"');
  });
});
