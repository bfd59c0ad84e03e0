import { expect, it } from '@jest/globals';
import { Clock, toLocalTime } from './local-time.js';

it.each([
  ['2026-01-15T12:00:00Z', '2026-01-15 13:00:00'],
  ['2026-07-15T22:30:00Z', '2026-07-16 00:30:00'],
  ['2025-03-30T00:59:59Z', '2025-03-30 01:59:59'],
  ['2025-03-30T01:00:00Z', '2025-03-30 03:00:00'],
  ['2025-10-26T00:30:00Z', '2025-10-26 02:30:00'],
  ['1999-12-31T23:00:00Z', '2000-01-01 00:00:00'],
])('%s is %s on the wall clock in Berlin', (instant, local) => {
  expect(toLocalTime(new Date(instant), 'Europe/Berlin')).toBe(local);
});

it('no instant is no time', () => {
  expect(toLocalTime(null, 'Europe/Berlin')).toBeNull();
});

it('another zone has another wall clock', () => {
  expect(toLocalTime(new Date('2026-01-15T12:00:00Z'), 'America/New_York')).toBe('2026-01-15 07:00:00');
});

it.each([
  ['2025-10-26T00:30:00.999Z', '2025-10-26T00:30:00.000Z'],
  ['2025-10-26T01:30:00.999Z', '2025-10-26T00:30:00.000Z'],
  ['2025-10-26T02:00:00.000Z', '2025-10-26T02:00:00.000Z'],
  ['2026-07-15T12:00:00.001Z', '2026-07-15T12:00:00.000Z'],
])('at %s the clock says what the shop can say, %s', (instant, said) => {
  const clock = new Clock('Europe/Berlin', () => Date.parse(instant));
  expect(clock.now().toISOString()).toBe(said);
});
