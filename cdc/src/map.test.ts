import { describe, expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import { compileMapping, keyText } from './map.js';

const product = compileMapping(
  tableMappingSchema.parse({
    from: 'product',
    to: 'item',
    key: { item_id: 'id', shop: 'shop_id' },
    columns: {
      title: 'name',
      price_minor: { minor: 'price', digits: 2 },
      currency: { constant: 'EUR' },
      visible: { flag: 'is_visible' },
    },
    split: [
      {
        to: 'item_tag',
        column: 'tags',
        key: { item: 'id', shop: 'shop_id' },
        item: 'tag',
        position: 'place',
      },
      {
        to: 'item_label',
        column: 'labels',
        separator: '|',
        key: { item: 'id', shop: 'shop_id' },
        item: 'label',
      },
    ],
  }),
);

const row = {
  id: '7',
  shop_id: '1',
  name: 'Lamp',
  price: '12.90',
  is_visible: null,
  tags: ' red, blue ,,red',
  labels: 'a|b||a',
  other: 'unread',
};

describe('a mapped row', () => {
  it('has its key, its columns, and its children in order', () => {
    expect(product.map(row)).toEqual({
      ok: true,
      row: {
        key: { item_id: '7', shop: '1' },
        columns: { title: 'Lamp', price_minor: '1290', currency: 'EUR', visible: '0' },
        children: [
          {
            split: product.mapping.split[0],
            parent: { item: '7', shop: '1' },
            rows: [
              { item: '7', shop: '1', place: '0', tag: 'red' },
              { item: '7', shop: '1', place: '1', tag: 'blue' },
              { item: '7', shop: '1', place: '2', tag: 'red' },
            ],
          },
          {
            split: product.mapping.split[1],
            parent: { item: '7', shop: '1' },
            rows: [
              { item: '7', shop: '1', label: 'a' },
              { item: '7', shop: '1', label: 'b' },
            ],
          },
        ],
      },
    });
  });

  it.each([null, '', ' , ,'])('has no children for the list %p', (tags) => {
    const mapped = product.map({ ...row, tags });
    expect(mapped.ok && mapped.row.children[0]?.rows).toEqual([]);
  });

  it('names the source column of what cannot be mapped', () => {
    expect(product.map({ ...row, price: '1.999' })).toMatchObject({ ok: false, column: 'price' });
  });

  it('is read from and written to exactly the columns of the plan', () => {
    expect(product.reads).toEqual(['id', 'shop_id', 'name', 'price', 'is_visible', 'tags', 'labels']);
    expect(product.writes).toEqual(['item_id', 'shop', 'title', 'price_minor', 'currency', 'visible']);
  });
});

describe('the text of a key', () => {
  it('is one for each key, whatever stands in it', () => {
    const keys = [
      { a: '1', b: '23' },
      { a: '12', b: '3' },
      { a: '1,2', b: '3' },
      { a: null, b: '3' },
      { a: 'null', b: '3' },
      { a: Buffer.from('3'), b: '3' },
      { a: '33', b: '3' },
    ];
    expect(new Set(keys.map(keyText)).size).toBe(keys.length);
  });
});
