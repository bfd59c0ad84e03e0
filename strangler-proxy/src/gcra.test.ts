import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, property } from 'fast-check';
import { gcra } from './gcra.js';

describe('the pace of requests', () => {
  it('lets a burst through and then one for each interval', () => {
    const pace = { intervalMs: 100, burst: 3 };
    let due: number | undefined;
    const at = (now: number) => {
      const result = gcra(due, now, pace);
      if ('due' in result) ({ due } = result);
      return 'due' in result ? 'passes' : result.waitMs;
    };
    expect([0, 0, 0, 0, 60, 100, 100, 1_000].map(at)).toEqual([
      'passes',
      'passes',
      'passes',
      100,
      40,
      'passes',
      100,
      'passes',
    ]);
  });

  it('never lets more through in any span than the burst and what the span has room for; who waits as told gets through', () => {
    assert(
      property(
        integer({ min: 1, max: 50 }),
        integer({ min: 1, max: 5 }),
        array(integer({ min: 0, max: 80 }), { maxLength: 60 }),
        (intervalMs, burst, gaps) => {
          let [due, now]: [number | undefined, number] = [undefined, 1_000];
          const passed: number[] = [];
          let keptPromises = true;
          for (const gap of gaps) {
            now += gap;
            const result = gcra(due, now, { intervalMs, burst });
            if ('due' in result) {
              ({ due } = result);
              passed.push(now);
            } else keptPromises &&= 'due' in gcra(due, now + result.waitMs, { intervalMs, burst });
          }
          expect(keptPromises).toBe(true);
          for (const [first, from] of passed.entries())
            for (const [count, to] of passed.slice(first).entries())
              expect(count + 1).toBeLessThanOrEqual(burst + Math.floor((to - from) / intervalMs));
        },
      ),
    );
  });
});
