import { expect, it } from '@jest/globals';
import { createLag } from './lag.js';

it('nothing is said before the first heartbeat', () => {
  const lag = createLag(500);
  expect([lag.newest(1_000), lag.p99(1_000)]).toEqual([null, null]);
});

it('the newest lag grows while the next heartbeat is overdue', () => {
  const lag = createLag(500);
  lag.applied(10_000, 10_020);
  expect(lag.newest(10_100)).toBe(20);
  expect(lag.newest(13_000)).toBe(2_500);
});

it('the 99th percentile leaves out one of a hundred, and what is older than ten minutes', () => {
  const lag = createLag(500);
  lag.applied(0, 90_000);
  for (let beat = 1; beat <= 100; beat++) lag.applied(700_000 + beat * 500, 700_000 + beat * 500 + beat);
  expect(lag.p99(760_000)).toBe(99);
});
