import { expect, it } from '@jest/globals';
import { event } from './event.fixture.js';
import type { Ledger } from './ledger.js';
import type { Leases } from './leases.js';

const LONG_MS = 600_000;
/** Over as soon as anybody looks. */
const OVER_MS = -1_000;

/** What all leases promise, and the ledger beside them. `open` gives both with nothing in them. */
export function leasesConformance(
  openBoth: () => Promise<{ readonly leases: Leases; readonly ledger: Ledger }>,
): void {
  const open = async () => (await openBoth()).leases;

  it('one has it at a time, and the next one is told who', async () => {
    const leases = await open();
    expect(await leases.take('orders', 'ann', LONG_MS)).toEqual({ token: 1 });
    expect(await leases.take('orders', 'bob', LONG_MS)).toEqual({ holder: 'ann' });
    expect(await leases.take('orders', 'ann', LONG_MS)).toEqual({ holder: 'ann' });
    expect(await leases.take('cart', 'bob', LONG_MS)).toEqual({ token: 1 });
  });

  it('one of many who ask at the same time gets it', async () => {
    const leases = await open();
    const answers = await Promise.all(
      ['ann', 'bob', 'cem', 'dan'].map((owner) => leases.take('orders', owner, LONG_MS)),
    );
    expect(answers.filter((answer) => 'token' in answer)).toEqual([{ token: 1 }]);
  });

  it('one that has run out is taken under a higher token, and whoever had it can renew it no more', async () => {
    const leases = await open();
    expect(await leases.take('orders', 'ann', OVER_MS)).toEqual({ token: 1 });
    expect(await leases.take('orders', 'bob', LONG_MS)).toEqual({ token: 2 });
    expect(await leases.renew('orders', 1, LONG_MS)).toBe(false);
    await leases.release('orders', 1);
    expect(await leases.take('orders', 'cem', LONG_MS)).toEqual({ holder: 'bob' });
    expect(await leases.renew('orders', 2, LONG_MS)).toBe(true);
  });

  it('one that is let go of is free at once', async () => {
    const leases = await open();
    await leases.take('orders', 'ann', LONG_MS);
    await leases.release('orders', 1);
    expect(await leases.take('orders', 'bob', LONG_MS)).toEqual({ token: 2 });
  });

  it('what is written under a lease that another has taken is refused, and nothing of it is there', async () => {
    const { leases, ledger } = await openBoth();
    const parts = [{ migration: 'orders', after: 0, events: [event()] }];
    await leases.take('orders', 'ann', OVER_MS);
    await leases.take('orders', 'bob', LONG_MS);
    await expect(ledger.appendTogether(parts, { unit: 'orders', token: 1 })).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect(await ledger.size()).toBe(0);
    await ledger.appendTogether(parts, { unit: 'orders', token: 2 });
    expect(await ledger.size()).toBe(1);
  });
}
