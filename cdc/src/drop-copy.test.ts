import { expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import { copiedTables } from './drop-copy.js';
import { reversedData } from './reversed-data.js';

const mapping = tableMappingSchema.parse({
  from: 'product',
  to: 'item',
  key: { id: 'id' },
  split: [{ to: 'item_tag', column: 'tags', key: { item_id: 'id' }, item: 'tag' }],
});
const data = { from: 'legacy', to: 'service', chunkRows: 100, tables: [mapping] };

it('what a migration has copied can be dropped, children first, and what a stream back writes never', () => {
  expect(copiedTables(data).map(({ table }) => table)).toEqual(['item_tag', 'item']);
  expect(() => copiedTables(reversedData(data))).toThrow(
    expect.objectContaining({
      code: 'DROP_REFUSED',
      message: expect.stringContaining('table "product" is no copy'),
    }),
  );
});
