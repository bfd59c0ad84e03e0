import { describe, expect, it } from '@jest/globals';
import { cutoverWorld } from '../cutover/cutover.fixture.js';
import { approve } from './approve.js';
import { cutOver } from './cut-over.js';
import { advance, rollback } from './pipeline.js';
import { retire } from './retire.js';

describe('a cutover that is asked for', () => {
  it('says how long writes were held, what was done, and under which gates', async () => {
    const { control, begin } = cutoverWorld();
    await begin();
    const moved = await cutOver(control, 'shop', { by: 'ann' });
    expect(moved).toMatchObject({
      migration: 'shop',
      members: ['cart', 'orders'],
      from: 'canary',
      to: 'extracted',
      epoch: 1,
      heldMs: expect.any(Number),
      forced: false,
    });
    expect(moved.gates.every(({ met }) => met)).toBe(true);
    expect(moved.steps).toContain('writes go to the service');
  });

  it('is told everything that is missing at once, and nothing has happened', async () => {
    const { control, begin, databases, sync, knobs, rows } = cutoverWorld({ cutover: { approval: true } });
    await begin();
    databases.transactions.push('transaction 7 of app@host is open for 60 s');
    databases.idsRunOut.push('table "orders" has 12 ids left');
    sync.problems.push('its log cannot be read');
    knobs.parked = 1;
    const refused = await cutOver(control, 'shop', { by: 'ann' }).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'GATE_UNMET' });
    for (const gate of [
      'cart/parked',
      'orders/parked',
      'transactions',
      'id-head-room',
      'other-stream',
      'approval',
    ])
      expect((refused as Error).message).toContain(`${gate}: `);
    expect(await rows()).toEqual([]);
    expect(databases.fences.legacy.closed).toBe(false);
  });

  it('can be forced with a reason, which the ledger keeps, but not over a fence that is missing', async () => {
    const { control, begin, databases, ledger, rows } = cutoverWorld();
    await begin();
    databases.transactions.push('transaction 7 is open');
    await expect(cutOver(control, 'shop', { by: 'ann', force: true })).rejects.toMatchObject({
      code: 'FORCE_NEEDS_REASON',
    });
    databases.missing = 'service';
    await expect(cutOver(control, 'shop', { by: 'ann', force: true, why: 'now' })).rejects.toMatchObject({
      code: 'GATE_UNMET',
      message: expect.stringContaining('fences: service: '),
    });
    expect(await rows()).toEqual([]);
    databases.missing = null;
    const moved = await cutOver(control, 'shop', { by: 'ann', force: true, why: 'it only reads' });
    expect(moved.forced).toBe(true);
    expect((await ledger.history()).find(({ kind }) => kind === 'cutover')).toMatchObject({
      by: 'ann',
      why: 'it only reads',
    });
  });

  it('says beforehand what it would do, in order, and does nothing', async () => {
    const { control, begin, rows, databases } = cutoverWorld();
    await begin();
    const { steps, dryRun } = await cutOver(control, 'shop', { by: 'ann', dryRun: true });
    expect(dryRun).toBe(true);
    expect(steps.map((step) => step.split(' ').slice(0, 3).join(' '))).toEqual([
      'would set the',
      'would have every',
      'would close the',
      'would wait 50',
      'would compare the',
      'would give the',
      'would send held',
      'would carry what',
    ]);
    expect(await rows()).toEqual([]);
    expect(databases.fences.legacy.epoch).toBe(0);
  });

  it.each([
    ['syncing', 'a cutover begins in "canary"'],
    ['extracted', 'its writes are on the service already'],
    ['retired', 'is retired'],
  ] as const)('is refused in %s', async (phase, reason) => {
    const { control, begin } = cutoverWorld({ phase });
    await begin();
    await expect(cutOver(control, 'shop', { by: 'ann' })).rejects.toThrow(reason);
  });

  it('is refused for a migration that moves no data', async () => {
    const { control, begin } = cutoverWorld();
    await begin(['search']);
    await expect(cutOver(control, 'search', { by: 'ann' })).rejects.toMatchObject({
      code: 'CUTOVER_WITHOUT_DATA',
    });
  });

  it('waits for the owner where the plan asks for it, and an approval is for one cutover', async () => {
    const { control, begin } = cutoverWorld({ cutover: { approval: true } });
    await begin();
    await expect(cutOver(control, 'shop', { by: 'ann' })).rejects.toThrow('strangler approve shop');
    await approve(control, 'shop', { by: 'owner' });
    await cutOver(control, 'shop', { by: 'ann' });
    await rollback(control, 'shop', { by: 'ann' });
    await expect(cutOver(control, 'shop', { by: 'ann' })).rejects.toThrow('strangler approve shop');
  });

  it('that was broken off says why, and everything is as before', async () => {
    const { control, begin, databases, standing } = cutoverWorld();
    await begin();
    databases.blockers.push('transaction 7 of app@host did not end');
    await expect(cutOver(control, 'shop', { by: 'ann' })).rejects.toMatchObject({
      code: 'CUTOVER_ABORTED',
      message: expect.stringContaining('transaction 7 of app@host did not end'),
    });
    expect(await standing()).toMatchObject({ phase: 'canary' });
    databases.blockers.length = 0;
    expect(await cutOver(control, 'shop', { by: 'ann' })).toMatchObject({ epoch: 2, to: 'extracted' });
  });
});

describe('a rollback', () => {
  it('of what is extracted takes the writes back, and goes on to where it was asked to', async () => {
    const { control, begin, standing } = cutoverWorld();
    await begin();
    await cutOver(control, 'shop', { by: 'ann' });
    const rehearsed = await rollback(control, 'shop', { by: 'ann', dryRun: true });
    expect(rehearsed.consequence).toMatch(/^routing and data: /);
    const moved = await rollback(control, 'shop', { by: 'ann', to: 'syncing' });
    expect(moved).toMatchObject({ from: 'extracted', to: 'syncing' });
    expect(await standing()).toMatchObject({ phase: 'syncing', cutover: { epoch: 2, to: 'legacy' } });
  });

  it('is kept from losing rows that have no way back, and names them', async () => {
    const { control, begin, knobs, standing } = cutoverWorld();
    await begin();
    await cutOver(control, 'shop', { by: 'ann' });
    knobs.parked = 3;
    await expect(rollback(control, 'shop', { by: 'ann' })).rejects.toThrow(
      /parked: 3 keys wait, "cart:7" .*it has no way back/,
    );
    expect(await standing()).toMatchObject({ phase: 'extracted' });
  });

  it('and an advance wait until sides have changed', async () => {
    const { control, begin, ledger } = cutoverWorld();
    await begin();
    await ledger.appendTogether(
      ['cart', 'orders'].map((migration) => ({
        migration,
        after: 1,
        events: [
          {
            kind: 'cutover' as const,
            from: 'canary' as const,
            to: 'canary' as const,
            shareFrom: 100,
            shareTo: 100,
            by: 'bob',
            why: null,
            gates: [],
            verification: null,
            counters: null,
            planRevision: '',
            cutover: {
              unit: 'shop',
              epoch: 1,
              state: 'HOLDING' as const,
              from: 'legacy' as const,
              to: 'service' as const,
              note: '',
            },
          },
        ],
      })),
    );
    for (const work of [
      () => advance(control, 'shop', { by: 'ann' }),
      () => rollback(control, 'shop', { by: 'ann' }),
      () => cutOver(control, 'shop', { by: 'ann' }),
    ])
      await expect(work()).rejects.toMatchObject({
        code: 'CUTOVER_RUNNING',
        message: expect.stringContaining('"HOLDING", begun by "bob"'),
      });
  });
});

describe('a retirement', () => {
  it('waits until nobody needs legacy any more', async () => {
    const { control, begin, knobs } = cutoverWorld({ phase: 'extracted' });
    await begin();
    knobs.strayWrites = 2;
    await expect(retire(control, 'shop', { by: 'ann' })).rejects.toThrow(
      /quiet: no request on its legacy routes for 0\.0 days, needed are 1.*stray-writes: 2 writes/,
    );
  });

  it('ends it for good, takes fences and flag away, and names what may go', async () => {
    const world = cutoverWorld({ phase: 'extracted', cutover: { quietDays: 0 } });
    await world.begin();
    const retired = await retire(world.control, 'shop', { by: 'ann' });
    expect(retired.checklist).toEqual(
      expect.arrayContaining([
        'code of legacy behind "GET /orders", "POST /orders"',
        'table "orders" of database "shop"',
      ]),
    );
    expect(retired.steps).toEqual(
      expect.arrayContaining(['removed the fences', 'took flag "strangler.shop" away']),
    );
    expect(await world.standing()).toMatchObject({ phase: 'retired' });
    await expect(rollback(world.control, 'shop', { by: 'ann' })).rejects.toMatchObject({
      code: 'MIGRATION_RETIRED',
    });
    await expect(retire(world.control, 'shop', { by: 'ann' })).rejects.toMatchObject({
      code: 'RETIRE_WRONG_PHASE',
    });
  });

  it('is forced with a reason only', async () => {
    const { control, begin } = cutoverWorld({ phase: 'extracted' });
    await begin();
    await expect(retire(control, 'shop', { by: 'ann', force: true })).rejects.toMatchObject({
      code: 'FORCE_NEEDS_REASON',
    });
    expect(await retire(control, 'shop', { by: 'ann', force: true, why: 'legacy is off' })).toMatchObject({
      forced: true,
      to: 'retired',
    });
  });
});
