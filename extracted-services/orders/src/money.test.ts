import { expect, it } from '@jest/globals';
import { toDecimal, toMinor } from './money.js';

it.each([
  ['0.00', 0],
  ['15.35', 1535],
  ['-0.05', -5],
  ['7.9', 790],
  ['99999999.99', 9_999_999_999],
])('%s is %s minor units', (decimal, minor) => {
  expect(toMinor(decimal)).toBe(minor);
  expect(toMinor(toDecimal(minor))).toBe(minor);
});

it('no money is written as the shop writes it', () => {
  expect(toDecimal(null)).toBe('0.00');
  expect(toDecimal('3070')).toBe('30.70');
});
