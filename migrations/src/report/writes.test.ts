import { describe, expect, it } from '@jest/globals';
import type { MigrationReport } from './report.js';
import { writesText } from './writes.js';

const cutover = (changes: object): MigrationReport['cutover'] => ({
  unit: 'orders',
  epoch: 2,
  state: 'REVERSING',
  from: 'legacy',
  to: 'service',
  note: 'the fence did not close',
  by: 'ann',
  why: null,
  startedAt: '2026-11-23T11:59:00.000Z',
  heldAt: null,
  at: '2026-11-23T12:00:00.000Z',
  planRevision: '',
  left: [],
  ...changes,
});

describe('the report says of the writes', () => {
  it.each([
    ['canary', null, 'on legacy, never moved'],
    ['extracted', cutover({}), 'on the service, since cutover 2 at 2026-11-23 12:00:00 UTC'],
    [
      'canary',
      cutover({ from: 'service', to: 'legacy' }),
      'on legacy, since rollback 2 at 2026-11-23 12:00:00 UTC',
    ],
    [
      'canary',
      cutover({ state: 'ABORTED' }),
      'on legacy; cutover 2 was broken off at 2026-11-23 12:00:00 UTC (the fence did not close)',
    ],
    [
      'canary',
      cutover({ state: 'FENCED' }),
      'changing sides: cutover 2 is "FENCED" since 2026-11-23 12:00:00 UTC',
    ],
  ] as const)('in %s: %j', (phase, attempt, text) => {
    expect(writesText({ phase, cutover: attempt })).toBe(text);
  });
});
