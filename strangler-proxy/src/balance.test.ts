import { describe, expect, it } from '@jest/globals';
import { createBalance } from './balance.js';

const busy = (...pending: number[]) => pending.map((count, index) => ({ index, pending: () => count }));
const inTurn = (...values: number[]) => {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
};

describe('balance', () => {
  it('takes the less busy of two different random ones', () => {
    const instances = busy(5, 1, 3);
    expect(createBalance('least-pending', inTurn(0, 0))(instances).index).toBe(1);
    expect(createBalance('least-pending', inTurn(0, 0.9))(instances).index).toBe(2);
    expect(createBalance('least-pending', inTurn(0.9, 0))(instances).index).toBe(2);
  });

  it('spreads requests over all that are equally busy', () => {
    const chosen = [0, 0.4, 0.7].map((at) => createBalance('least-pending', inTurn(at))(busy(0, 0, 0)).index);
    expect(new Set(chosen)).toEqual(new Set([0, 1, 2]));
  });

  it('keeps within the list, whatever the random source gives', () => {
    for (const edge of [0, 0.999_999, 1])
      expect(createBalance('least-pending', () => edge)(busy(0, 0))).toBeDefined();
  });

  it('goes round when the plan wants that', () => {
    const balance = createBalance('round-robin', () => 0);
    const instances = busy(9, 0, 0);
    expect([1, 2, 3, 4].map(() => balance(instances).index)).toEqual([0, 1, 2, 0]);
  });
});
