import { describe, expect, it } from '@jest/globals';
import { grossPrice } from './gross-price.js';

const parts = (net: number, discount: number, tax: number) => ({
  net: BigInt(net),
  discount: BigInt(discount),
  tax: BigInt(tax),
});

describe('the gross price', () => {
  it.each([
    [1290, 0, 0, 1290n],
    [1290, 0, 190, 1535n],
    [1000, 50, 70, 1017n],
    [1, 333, 190, 1n],
    [9_999_999_999, 999, 190, 11_900_000n],
    // 115 * 0.9 is 103.5, half a cent exactly; as floats it is a hair less.
    [115, 100, 0, 104n],
  ])(
    'of %s less %s and plus %s tenths of a percent is %s when rounded twice',
    (net, discount, tax, gross) => {
      expect(grossPrice(parts(net, discount, tax), 'twice')).toBe(gross);
    },
  );

  it('differs by a cent where the two ways of rounding part', () => {
    // 103 * 0.95 = 97.85 -> 98; 98 * 1.19 = 116.62 -> 117. In one go: 116.4415 -> 116.
    expect(grossPrice(parts(103, 50, 190), 'twice')).toBe(117n);
    expect(grossPrice(parts(103, 50, 190), 'once')).toBe(116n);
  });

  it('rounds a tie up, below zero too, as the shop does', () => {
    expect(grossPrice(parts(-5, 100, 0), 'twice')).toBe(-4n);
    expect(grossPrice(parts(-5, 100, 0), 'once')).toBe(-4n);
    expect(grossPrice(parts(5, 100, 0), 'once')).toBe(5n);
    expect(grossPrice(parts(-7, 0, 190), 'twice')).toBe(-8n);
  });

  it('is exact where the product of price and percentages is more than a double can hold', () => {
    // As doubles, rounded the same way, it is 17958527115.
    expect(grossPrice(parts(9_336_229_629, 9, 941), 'once')).toBe(17_958_527_114n);
  });
});
