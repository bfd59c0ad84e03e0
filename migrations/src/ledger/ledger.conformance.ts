import { expect, it } from '@jest/globals';
import { verification } from '../evidence/evidence.fixture.js';
import { event } from './event.fixture.js';
import type { Ledger } from './ledger.js';

/** What every ledger promises. `open` gives an empty one. */
export function ledgerConformance(open: () => Promise<Ledger>): void {
  it('is empty at first', async () => {
    const ledger = await open();
    expect([await ledger.history(), await ledger.size()]).toEqual([[], 0]);
  });

  it('gives back what was appended, in order, numbered within the migration', async () => {
    const ledger = await open();
    const { tables: _tables, ...summary } = verification();
    const whole = event({
      kind: 'forced',
      from: 'shadow',
      to: 'canary',
      shareFrom: 10,
      shareTo: 50,
      why: 'a reason with "quotes", ünïcode and 😀',
      verification: summary,
      counters: { instance: 'proxy-1', startedAt: summary.startedAt, answers: 7, failures: 1 },
    });
    const [first] = await ledger.append('catalog', 0, [event()]);
    await ledger.append('search', 0, [event()]);
    const [second] = await ledger.append('catalog', 1, [whole]);
    expect(await ledger.history()).toEqual([
      first,
      expect.objectContaining({ migration: 'search', sequence: 1 }),
      second,
    ]);
    expect(first).toEqual({
      ...event(),
      id: expect.any(Number),
      migration: 'catalog',
      sequence: 1,
      at: first?.at,
    });
    expect(second).toMatchObject({ ...whole, migration: 'catalog', sequence: 2 });
    expect(first?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await ledger.size()).toBe(3);
  });

  it('appends several events as one', async () => {
    const ledger = await open();
    const stored = await ledger.append('catalog', 0, [event(), event({ from: 'syncing', to: 'shadow' })]);
    expect(stored.map(({ sequence, to }) => [sequence, to])).toEqual([
      [1, 'syncing'],
      [2, 'shadow'],
    ]);
  });

  it('refuses an event that was decided before another one came, and says what came', async () => {
    const ledger = await open();
    await ledger.append('catalog', 0, [event({ by: 'ann' })]);
    await expect(ledger.append('catalog', 0, [event({ by: 'bob' })])).rejects.toMatchObject({
      code: 'LEDGER_CHANGED_MEANWHILE',
      status: 409,
      message: expect.stringContaining('advanced from "legacy" to "syncing" by "ann"'),
    });
    expect(await ledger.size()).toBe(1);
  });

  it('lets one of two win who append at the same time', async () => {
    const ledger = await open();
    const outcomes = await Promise.allSettled(
      ['ann', 'bob', 'cem', 'dan'].map((by) => ledger.append('catalog', 0, [event({ by })])),
    );
    expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ code: 'LEDGER_CHANGED_MEANWHILE' })),
    );
    expect(await ledger.size()).toBe(1);
  });

  it('is not changed by what a reader does with its answer', async () => {
    const ledger = await open();
    await ledger.append('catalog', 0, [event()]);
    const [read] = (await ledger.history()) as unknown as { by: string }[];
    if (read) read.by = 'eve';
    expect((await ledger.history())[0]?.by).toBe('ann');
  });
}
