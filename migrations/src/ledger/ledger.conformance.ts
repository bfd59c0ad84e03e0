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

  it('appends to several migrations as one, and nothing when one of them has moved on', async () => {
    const ledger = await open();
    await ledger.append('orders', 0, [event()]);
    const stored = await ledger.appendTogether([
      { migration: 'orders', after: 1, events: [event({ from: 'syncing', to: 'shadow' })] },
      { migration: 'cart', after: 0, events: [event(), event({ from: 'syncing', to: 'shadow' })] },
    ]);
    expect(stored.map(({ migration, sequence, to }) => `${migration} ${sequence} ${to}`).toSorted()).toEqual([
      'cart 1 syncing',
      'cart 2 shadow',
      'orders 2 shadow',
    ]);
    await expect(
      ledger.appendTogether([
        { migration: 'cart', after: 2, events: [event()] },
        { migration: 'orders', after: 1, events: [event()] },
      ]),
    ).rejects.toMatchObject({
      code: 'LEDGER_CHANGED_MEANWHILE',
      message: expect.stringContaining('migration "orders"'),
    });
    expect(await ledger.size()).toBe(4);
  });

  it('is never read with a part of what was appended as one, whoever else writes', async () => {
    const ledger = await open();
    const over = new AbortController();
    const torn: string[] = [];
    const reading = (async () => {
      while (!over.signal.aborted) {
        const history = await ledger.history();
        const [cart, orders] = ['cart', 'orders'].map(
          (name) => history.filter(({ migration }) => migration === name).length,
        );
        if (cart !== orders) torn.push(`${cart} of cart, ${orders} of orders`);
      }
    })();
    const writer = async (names: readonly string[]) => {
      let written = 0;
      for (let round = 0; round < 20; round++) {
        const history = await ledger.history();
        const after = (name: string) =>
          history.findLast(({ migration }) => migration === name)?.sequence ?? 0;
        await ledger
          .appendTogether(names.map((name) => ({ migration: name, after: after(name), events: [event()] })))
          .then(
            () => written++,
            (error: { code?: string }) => {
              if (error.code !== 'LEDGER_CHANGED_MEANWHILE') throw error;
            },
          );
      }
      return written;
    };
    const written = await Promise.all([writer(['cart', 'orders']), writer(['orders', 'cart'])]);
    over.abort();
    await reading;
    expect(torn).toEqual([]);
    expect(await ledger.size()).toBe(2 * ((written[0] ?? 0) + (written[1] ?? 0)));
    expect(Math.max(...written)).toBeGreaterThan(0);
  });

  it('is not changed by what a reader does with its answer', async () => {
    const ledger = await open();
    await ledger.append('catalog', 0, [event()]);
    const [read] = (await ledger.history()) as unknown as { by: string }[];
    if (read) read.by = 'eve';
    expect((await ledger.history())[0]?.by).toBe('ann');
  });
}
