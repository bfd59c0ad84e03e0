import { expect, it } from '@jest/globals';
import { LocalClock } from './local-time.js';

it.each([
  ['winter', '2026-01-15T11:00:00Z', '2026-01-15 12:00:00'],
  ['summer', '2026-07-15T11:00:00Z', '2026-07-15 13:00:00'],
  ['the first minute after the skipped hour', '2026-03-29T01:00:00Z', '2026-03-29 03:00:00'],
])('%s is told in the time zone of the shop', (_, instant, local) => {
  expect(new LocalClock('Europe/Berlin', () => Date.parse(instant)).now()).toBe(local);
});

it('a day later is the same time of day across a change of the clocks', () => {
  const clock = new LocalClock('Europe/Berlin', () => Date.parse('2026-03-28T11:00:00Z'));
  expect(clock.after({ days: 1 })).toBe('2026-03-29 12:00:00');
});
