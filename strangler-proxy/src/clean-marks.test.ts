import { expect, it } from '@jest/globals';
import { createCleanMarks } from './clean-marks.js';

it('keeps few marks over a long time, in order, the newest among the last two intervals', () => {
  const marks = createCleanMarks();
  const from = Date.parse('2026-01-01T00:00:00Z');
  for (let second = 0; second < 10_000; second++) marks.note(from + second * 1_000, second);
  const kept = marks.read();
  expect(kept.length).toBeLessThanOrEqual(32);
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.map(([, clean]) => clean)).toEqual(kept.map(([, clean]) => clean).toSorted((a, b) => a - b));
  for (const [at, clean] of kept) expect(Date.parse(at)).toBe(from + clean * 1_000);
  expect(kept.at(-1)?.[1]).toBeGreaterThan(10_000 - 2 * 1_024);
});

it('begins anew when it is cleared', () => {
  const marks = createCleanMarks();
  marks.note(1_000, 1);
  marks.clear();
  expect(marks.read()).toEqual([]);
});
