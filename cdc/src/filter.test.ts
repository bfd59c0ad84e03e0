import { describe, expect, it } from '@jest/globals';
import { type Row, tableMappingSchema } from '@strangler/contracts';
import { compileFilter } from './filter.js';
import { compileMapping } from './map.js';
import { writesOf } from './plan-writes.js';
import type { TablePair } from './table-pair.js';

const filterOf = (where: object) => compileFilter({ where: tableMappingSchema.shape.where.parse(where) });

describe('a filter', () => {
  it.each([
    [{ a: 'x' }, { a: 'x' }, true],
    [{ a: 'x' }, { a: 'X' }, false],
    [{ a: 'x' }, { a: null }, false],
    [{ a: 1 }, { a: '1' }, true],
    [{ a: true }, { a: Buffer.from([1]) }, true],
    [{ a: false }, { a: Buffer.from([0]) }, true],
    [{ a: null }, { a: null }, true],
    [{ a: null }, { a: 'null' }, false],
    [{ a: ['x', null] }, { a: null }, true],
    [{ a: { not: 'x' } }, { a: 'y' }, true],
    [{ a: { not: 'x' } }, { a: null }, true],
    [{ a: { not: ['x', 'y'] } }, { a: 'y' }, false],
    [{ a: { not: null } }, { a: null }, false],
    [{ a: 'x', b: 'y' }, { a: 'x', b: 'z' }, false],
  ])('%j on %j: %p', (where, row, taken) => {
    expect(filterOf(where).takes(row)).toBe(taken);
  });

  it('gives columns in which every row it takes has the same', () => {
    expect(filterOf({ a: 1, b: null, c: ['x'], d: ['x', 'y'], e: { not: 1 } }).given).toEqual({
      a: '1',
      b: null,
      c: 'x',
    });
  });
});

describe('a change of a row under a filter', () => {
  const mapping = tableMappingSchema.parse({
    from: 'person',
    to: 'customer',
    key: { id: 'id' },
    columns: { name: 'name' },
    where: { kind: 'customer' },
  });
  const pair = {
    map: compileMapping(mapping),
    source: { name: 'person' },
    target: { name: 'customer' },
  } as TablePair;
  const asked = (before: Row | null, after: Row | null) =>
    writesOf(pair, { operation: 'update', database: 'd', table: 'person', before, after }).map(
      ({ kind, ...write }) => [kind, 'isNew' in write ? write.isNew : undefined],
    );
  const [inside, outside] = [
    { id: '1', name: 'a', kind: 'customer' },
    { id: '1', name: 'a', kind: 'supplier' },
  ];

  it('is an insert when it enters, a delete when it leaves, and nothing outside', () => {
    expect(asked(outside, inside)).toEqual([['upsert', true]]);
    expect(asked(inside, outside)).toEqual([['delete', undefined]]);
    expect(asked(inside, { ...outside, id: '2' })).toEqual([['delete', undefined]]);
    expect(asked(outside, outside)).toEqual([]);
    expect(asked(null, outside)).toEqual([]);
    expect(asked(outside, null)).toEqual([]);
    expect(asked(inside, { ...inside, id: '2' })).toEqual([['rekey', undefined]]);
    expect(asked(inside, inside)).toEqual([['upsert', false]]);
  });

  it('reads the columns of the filter', () => {
    expect(pair.map.reads).toEqual(['id', 'name', 'kind']);
  });
});
