import { describe, expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import { compileMapping } from './map.js';
import { reversedData } from './reversed-data.js';
import { reverseOf } from './reverse.js';

const mapping = tableMappingSchema.parse({
  from: 'product',
  to: 'item',
  key: { item_id: 'id', shop: 'shop_id' },
  columns: { title: 'name', stock: 'quantity', cents: { minor: 'price', digits: 2 }, rev: 'version' },
  writers: 'both',
  conflicts: { policy: 'version', version: 'rev', authority: 'target' },
});

describe('a mapping that is turned round', () => {
  it('changes sides in everything that it says', () => {
    expect(reverseOf(mapping)).toMatchObject({
      from: 'item',
      to: 'product',
      key: { id: 'item_id', shop_id: 'shop' },
      writers: 'both',
      conflicts: { policy: 'version', version: 'version', authority: 'source' },
    });
    const byColumns = tableMappingSchema.parse({
      ...mapping,
      conflicts: { columns: { stock: 'additive', title: 'source', cents: 'target' } },
    });
    expect(reverseOf(byColumns).conflicts).toMatchObject({
      authority: 'target',
      columns: { quantity: 'additive', name: 'target', price: 'source' },
    });
    expect(reversedData({ from: 'legacy', to: 'service', chunkRows: 5, tables: [mapping] })).toMatchObject({
      from: 'service',
      to: 'legacy',
      chunkRows: 5,
      tables: [{ from: 'item', to: 'product' }],
    });
  });

  it('reads what the other wrote, writes what it read, and knows the same rows by the same keys', () => {
    const [there, back] = [compileMapping(mapping), compileMapping(reverseOf(mapping))];
    expect([...back.writes].toSorted()).toEqual([...there.reads].toSorted());
    expect([...back.reads].toSorted()).toEqual([...there.writes].toSorted());
    const row = { id: '7', shop_id: '2', name: 'a', quantity: '3', price: '1.50', version: '9' };
    expect(back.keyOf(there.keyOf(row))).toEqual({ id: '7', shop_id: '2' });
  });

  it('of two columns that hold the same takes the plain copy, and refuses a row in which they differ', () => {
    const doubled = tableMappingSchema.parse({
      from: 'a',
      to: 'b',
      key: { id: 'id' },
      columns: { upper: { enum: 'state', values: { x: 'X', y: 'Y' } }, state: 'state' },
    });
    const back = compileMapping(reverseOf(doubled));
    expect(back.map({ id: '1', upper: 'X', state: 'x' })).toMatchObject({ row: { columns: { state: 'x' } } });
    expect(back.map({ id: '1', upper: 'X', state: 'y' })).toEqual({
      ok: false,
      column: 'upper',
      reason: 'holds "X", which has no way back: on the way there it would become "Y"',
    });
  });

  it('leaves a list to the rows that it is made of', () => {
    const withList = tableMappingSchema.parse({
      ...mapping,
      writers: 'source',
      conflicts: undefined,
      split: [{ to: 'tag', column: 'tags', key: { item: 'id', shop: 'shop_id' }, item: 'tag' }],
    });
    expect(compileMapping(reverseOf(withList)).writes).not.toContain('tags');
    const data = { from: 'legacy', to: 'service', chunkRows: 1_000, tables: [withList] };
    expect(reversedData(data).tables[0]?.lists).toMatchObject({ tags: { from: 'tag', item: 'tag' } });
  });
});
