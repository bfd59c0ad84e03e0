import { describe, expect, it } from '@jest/globals';
import { median, slope } from './median.js';
import type { Sample } from './measure.js';
import { cpuVs, throughputVs } from './result.js';

const sample = (
  contender: Sample['contender'],
  round: number,
  perSecond: number,
  of: Sample['of'] = 'small',
) => ({
  contender,
  round,
  perSecond,
  of,
  cpuUs: 1e6 / perSecond,
  p50Ms: 1,
  p99Ms: 2,
  errors: 0,
});

describe('a figure', () => {
  it('is the middle one, or the mean of the two in the middle', () => {
    expect(median([9, 1, 3])).toBe(3);
    expect(median([1, 2, 3, 9])).toBe(2.5);
  });

  it('of a line is not bent by one point', () => {
    expect(slope([0, 1, 2, 3, 4, 5].map((x) => [x, x === 3 ? 500 : 2 * x] as const))).toBe(2);
  });

  it('compares within a round, and the worst case counts', () => {
    const samples = [
      sample('ours', 0, 100),
      sample('hpm', 0, 50),
      sample('ours', 1, 10),
      sample('hpm', 1, 5),
      sample('ours', 0, 30, 'large'),
      sample('hpm', 0, 40, 'large'),
    ];
    expect(throughputVs(samples, 'hpm')).toBe(0.75);
    expect(cpuVs(samples, 'hpm')).toBe(1.333);
  });

  it('is null where a peer is missing', () => {
    expect(throughputVs([sample('ours', 0, 100)], 'fastify')).toBeNull();
  });
});
