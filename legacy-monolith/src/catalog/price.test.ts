import { describe, expect, it } from '@jest/globals';
import { grossCents, toUnits } from './price.js';

describe('the gross price', () => {
  it.each([
    ['12.90', null, null, 1290],
    ['12.90', '0.0', '19.0', 1535],
    ['10.00', '5.0', '7.0', 1017],
    ['0.01', '33.3', '19.0', 1],
    ['99999999.99', '99.9', '19.0', 11_900_000],
  ])('of %s less %s plus %s percent is %s cents', (price, discount_pct, tax_pct, cents) => {
    expect(grossCents({ price, discount_pct, tax_pct })).toBe(cents);
  });

  it('is rounded after the discount and again after the tax', () => {
    // Once at the end it would be 1.03 * 0.95 * 1.19 = 1.164415, which is 1.16.
    expect(grossCents({ price: '1.03', discount_pct: '5.0', tax_pct: '19.0' })).toBe(117);
  });

  it('is exact where a float is a cent short', () => {
    // 115 cents * 0.9 = 103.5 rounds up; as floats 1.15 * 0.9 * 100 is 103.49999999999999.
    expect(grossCents({ price: '1.15', discount_pct: '10.0', tax_pct: null })).toBe(104);
  });

  it('is nothing without a net price', () => {
    expect(grossCents({ price: null, discount_pct: '5.0', tax_pct: '19.0' })).toBeNull();
  });
});

it.each([
  ['12.9', 2, 1290],
  ['12', 2, 1200],
  ['-0.05', 2, -5],
  ['33.3', 1, 333],
])('%s with %s digits is %s units', (decimal, digits, units) => {
  expect(toUnits(decimal, digits)).toBe(units);
});
