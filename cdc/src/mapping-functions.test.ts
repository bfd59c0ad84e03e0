import { describe, expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import { compileMapping } from './map.js';
import { type MappingFunction, valueOf } from './mapping-functions.js';
import { reverseOf } from './reverse.js';

const NAME = '/plans/price.js#toGross';
const mapping = tableMappingSchema.parse({
  from: 'a',
  to: 'b',
  key: { id: 'id' },
  columns: { gross: { function: NAME, reads: ['net', 'tax'], back: '/plans/price.js#toNet' } },
});
const mapBy = (there: MappingFunction, back: MappingFunction = () => ({})) => {
  const functions = new Map([
    [NAME, there],
    ['/plans/price.js#toNet', back],
  ]);
  return {
    there: compileMapping(mapping, { functions }),
    back: compileMapping(reverseOf(mapping), { functions }),
  };
};

describe('a function of the plan', () => {
  it('gets the columns it reads and no others', () => {
    const { there } = mapBy((row) => JSON.stringify(row));
    expect(there.map({ id: '1', net: '10', secret: 'x' })).toMatchObject({
      row: { columns: { gross: '{"net":"10","tax":null}' } },
    });
  });

  it('that throws refuses the row, and ends nothing', () => {
    const { there, back } = mapBy(
      () => {
        throw new Error('no tax for it');
      },
      () => {
        throw new Error('nor back');
      },
    );
    expect(there.map({ id: '1', net: '10' })).toEqual({
      ok: false,
      column: 'net',
      reason: 'is refused by "price.js#toGross" (no tax for it)',
    });
    expect(back.map({ id: '1', gross: '1' })).toEqual({
      ok: false,
      column: 'gross',
      reason: 'is refused by "price.js#toNet" (nor back)',
    });
  });

  it.each([
    [Promise.resolve('1'), 'a promise'],
    [Number.NaN, 'the number NaN'],
    [2 ** 60, 'the number 1152921504606847000'],
    [undefined, 'undefined'],
    [{}, 'object'],
  ])('that answers %p refuses the row', (answer, what) => {
    expect(valueOf(answer, NAME)).toEqual({
      ok: false,
      reason: `is mapped by "price.js#toGross", which answers ${what}`,
    });
  });

  it.each([
    [null, null],
    ['x', 'x'],
    [7, '7'],
    [0.5, '0.5'],
    [7n, '7'],
    [true, '1'],
  ])('may answer %p', (answer, value) => {
    expect(valueOf(answer, NAME)).toEqual({ ok: true, value });
  });

  it('that does not answer every column on the way back refuses the row', () => {
    const { back } = mapBy(
      () => '1',
      () => ({ net: '1' }),
    );
    expect(back.map({ id: '1', gross: '1' })).toMatchObject({
      ok: false,
      reason: 'is mapped by "price.js#toNet", which answers undefined for "tax"',
    });
    expect(
      mapBy(
        () => '1',
        () => 'x',
      ).back.map({ id: '1', gross: '1' }),
    ).toMatchObject({
      reason: 'is given back by "price.js#toNet", which answers no object of source columns',
    });
  });

  it('that is not loaded refuses the row', () => {
    expect(compileMapping(mapping).map({ id: '1' })).toMatchObject({
      reason: 'is mapped by "price.js#toGross", which is not loaded',
    });
  });
});
