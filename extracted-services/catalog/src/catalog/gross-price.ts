import type { Rounding } from '../environment.js';

/** Net price in minor units; percentages in tenths of a percent, so that 7.5 % is 75. */
export interface PriceParts {
  readonly net: bigint;
  readonly discount: bigint;
  readonly tax: bigint;
}

/**
 * Gross price in minor units, exact, rounded half up.
 *
 * `twice` is the shop's rule: a rounded price after the discount, and rounded again after the tax. `once` keeps the
 * fraction until the end: the better arithmetic, and a cent away from what customers are charged. It is the difference
 * that a parallel run has to find; CATALOG_ROUNDING=twice repairs it.
 */
export function grossPrice({ net, discount, tax }: PriceParts, rounding: Rounding): bigint {
  const reduced = net * (1000n - discount);
  if (rounding === 'once') return divideHalfUp(reduced * (1000n + tax), 1_000_000n);
  return divideHalfUp(divideHalfUp(reduced, 1000n) * (1000n + tax), 1000n);
}

/** Towards positive infinity on a tie, for refunds too; `/` of BigInt alone would cut towards zero. */
function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const shifted = dividend + divisor / 2n;
  return (shifted - (((shifted % divisor) + divisor) % divisor)) / divisor;
}
