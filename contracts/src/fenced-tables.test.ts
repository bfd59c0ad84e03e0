import { describe, expect, it } from '@jest/globals';
import { fencedTablesOf } from './fenced-tables.js';
import { tableMappingSchema } from './mapping-schema.js';

const tables = [
  {
    from: 'orders',
    to: 'order',
    key: { id: 'id' },
    parts: [{ from: 'order_note', key: { id: 'order_id' }, columns: { note: 'text' } }],
    lookups: { state: { column: 'state_id', in: 'state', key: 'id', value: 'name' } },
    lists: { tags: { from: 'order_tag', key: { id: 'order_id' }, item: 'tag', order: 'tag' } },
    split: [{ to: 'order_flag', column: 'flags', key: { order_id: 'id' }, item: 'flag' }],
  },
  { from: 'orders', to: 'order_archive', key: { id: 'id' } },
  { from: 'basket', to: 'basket', key: { id: 'id' }, writers: 'both' },
].map((mapping) => tableMappingSchema.parse(mapping));

describe('the tables behind a fence', () => {
  it('are of legacy those that rows come back to, and not those values are looked up in', () => {
    expect(fencedTablesOf({ tables }, 'legacy')).toEqual(['order_note', 'order_tag', 'orders']);
  });

  it('are of the service those that rows go to, with what a list was split into', () => {
    expect(fencedTablesOf({ tables }, 'service')).toEqual(['order', 'order_archive', 'order_flag']);
  });

  it('never one that both sides write, whatever else is mapped from it', () => {
    const both = [...tables, tableMappingSchema.parse({ from: 'basket', to: 'copy', key: { id: 'id' } })];
    expect(fencedTablesOf({ tables: both }, 'legacy')).not.toContain('basket');
    expect(fencedTablesOf({ tables: both }, 'service')).toContain('copy');
  });
});
