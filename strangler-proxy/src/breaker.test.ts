import { describe, expect, it } from '@jest/globals';
import { type BreakerState, createBreaker } from './breaker.js';

const LIMITS = { failures: 3, ratio: 0.5, minRequests: 10, windowMs: 1_000, openMs: 500, halfOpen: 1 };

function breakerOf(limits: Partial<typeof LIMITS> = {}) {
  const seen: BreakerState[] = [];
  const breaker = createBreaker({ ...LIMITS, ...limits }, (state) => seen.push(state));
  const send = (well: boolean | null, at: number) => breaker.settle(breaker.begin(at), well, at);
  const opened = (at = 0) => {
    while (breaker.state() === 'closed') send(false, at);
    return breaker;
  };
  return { breaker, send, opened, seen };
}

describe('a breaker', () => {
  it('opens after failures in a row, and a good answer starts the row anew', () => {
    const { breaker, send } = breakerOf();
    for (const well of [false, false, true, false, false]) send(well, 0);
    expect(breaker.state()).toBe('closed');
    send(false, 0);
    expect([breaker.state(), breaker.reason(), breaker.admits(499)]).toEqual([
      'open',
      '3 failures in a row',
      false,
    ]);
  });

  it('opens when too large a share of enough requests failed within the window', () => {
    const { breaker, send } = breakerOf();
    for (let pair = 0; pair < 4; pair++) for (const well of [true, false]) send(well, 100);
    expect(breaker.state()).toBe('closed');
    for (const well of [true, false]) send(well, 200);
    expect([breaker.state(), breaker.reason()]).toEqual(['open', '5 of 10 requests failed']);
  });

  it('forgets what lies before the window', () => {
    const { breaker, send } = breakerOf();
    for (let pair = 0; pair < 4; pair++) for (const well of [true, false]) send(well, 100);
    for (const well of [true, false]) send(well, 1_200);
    expect(breaker.state()).toBe('closed');
  });

  it('does not count clients that left', () => {
    const { breaker, send } = breakerOf();
    for (let count = 0; count < 100; count++) send(null, 0);
    expect(breaker.state()).toBe('closed');
  });

  it('lets no more probes through than the plan says when its time is over', () => {
    const { opened } = breakerOf({ halfOpen: 2 });
    const breaker = opened();
    expect(breaker.admits(500)).toBe(true);
    expect(breaker.state()).toBe('open');
    breaker.begin(500);
    expect([breaker.state(), breaker.admits(500)]).toEqual(['half-open', true]);
    breaker.begin(500);
    expect(breaker.admits(500)).toBe(false);
  });

  it('closes when as many probes went well, and opens anew when one failed', () => {
    const { opened, seen } = breakerOf({ halfOpen: 2 });
    const breaker = opened();
    const [first, second] = [breaker.begin(500), breaker.begin(500)];
    breaker.settle(first, true, 510);
    expect(breaker.state()).toBe('half-open');
    breaker.settle(second, false, 520);
    expect([breaker.state(), breaker.admits(1_019), breaker.admits(1_020)]).toEqual(['open', false, true]);
    for (let probe = 0; probe < 2; probe++) breaker.settle(breaker.begin(1_020), true, 1_030);
    expect(seen).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('gives the place of a probe back whose client left', () => {
    const { opened } = breakerOf();
    const breaker = opened();
    breaker.settle(breaker.begin(500), null, 510);
    expect([breaker.state(), breaker.admits(510)]).toEqual(['half-open', true]);
  });

  it('gives the place of a probe that does not end to another one after a while', () => {
    const { opened } = breakerOf();
    const breaker = opened();
    breaker.begin(500);
    expect([breaker.admits(999), breaker.admits(1_000)]).toEqual([false, true]);
    breaker.settle(breaker.begin(1_000), true, 1_010);
    expect(breaker.state()).toBe('closed');
  });

  it.each([true, false])('is not moved by an answer of before it opened (well: %s)', (well) => {
    const { breaker, opened } = breakerOf();
    const late = breaker.begin(0);
    opened();
    const probe = breaker.begin(500);
    breaker.settle(late, well, 510);
    expect(breaker.state()).toBe('half-open');
    breaker.settle(probe, true, 520);
    expect(breaker.state()).toBe('closed');
  });

  it('is not moved by a request that was sent although it is open', () => {
    const { breaker, opened, send } = breakerOf();
    opened();
    for (const well of [true, false]) send(well, 100);
    expect([breaker.state(), breaker.admits(499), breaker.admits(500)]).toEqual(['open', false, true]);
  });
});
