import { describe, expect, it } from '@jest/globals';
import { isHeld, phaseOf } from '@strangler/contracts';
import { unitOf } from '../transition/unit.js';
import { cutoverWorld, type TestWorld } from './cutover.fixture.js';

const WHOLE = ['PREPARING', 'HOLDING', 'FENCED', 'CAUGHT_UP', 'VERIFIED', 'COMMITTED', 'OPEN', 'REVERSING'];

const beginning = ({ plan }: TestWorld, to: 'legacy' | 'service' = 'service') => ({
  unit: unitOf(plan, 'orders'),
  from: to === 'service' ? ('legacy' as const) : ('service' as const),
  to,
  by: 'ann',
  why: null,
  gates: [],
});

/** Resolves when the condition holds; the test's own timeout is its end. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((turn) => setImmediate(turn));
}

describe('a coordinator', () => {
  it('writes the journal of all members as one, and routing follows from it', async () => {
    const world = cutoverWorld();
    await world.begin();
    const { cutover } = await world.coordinator('ann').begin(beginning(world));
    expect(cutover).toMatchObject({ state: 'REVERSING', epoch: 1, to: 'service' });
    expect(await world.rows('orders')).toEqual(WHOLE);
    expect(await world.rows('cart')).toEqual(WHOLE);
    expect(
      world.told.map((state) => [phaseOf(state, 'orders'), phaseOf(state, 'cart'), isHeld(state, 'cart')]),
    ).toEqual([
      ['canary', 'canary', false],
      ['canary', 'canary', true],
      ['extracted', 'extracted', true],
      ['extracted', 'extracted', false],
    ]);
    expect(world.sync.asked.slice(0, 2)).toEqual(['reach cart there', 'reach orders there']);
    expect(world.sync.asked.slice(2).toSorted()).toEqual([
      'handover cart back 1',
      'handover orders back 1',
      'tail cart there',
      'tail orders there',
    ]);
    expect(world.databases).toMatchObject({
      wereBothOpen: false,
      fences: { legacy: { closed: true, epoch: 1 }, service: { closed: false, epoch: 1 } },
    });
  });

  it('takes it back by the same way, under the next epoch, and turns the flag off', async () => {
    const world = cutoverWorld();
    await world.begin();
    const coordinator = world.coordinator('ann');
    await coordinator.begin(beginning(world));
    const { cutover } = await coordinator.begin(beginning(world, 'legacy'));
    expect(cutover).toMatchObject({ state: 'REVERSING', epoch: 2, to: 'legacy' });
    expect(await world.standing()).toMatchObject({ phase: 'canary', share: 0, generation: 1 });
    expect(await world.flags.share('strangler.shop')).toBe(0);
    expect(world.databases).toMatchObject({
      wereBothOpen: false,
      fences: { legacy: { closed: false }, service: { closed: true } },
    });
  });

  it('goes back when a proxy does not say that it holds, and lets writes go where they went', async () => {
    const world = cutoverWorld();
    await world.begin();
    world.knobs.follows = false;
    const { cutover, said } = await world.coordinator('ann').begin(beginning(world));
    expect(cutover.state).toBe('ABORTED');
    expect(said.join()).toContain('"proxy-1" did not say that writes are held');
    expect(await world.standing()).toMatchObject({ phase: 'canary', cutover: { epoch: 1 } });
    expect(world.databases.fences.legacy.closed).toBe(false);
    const last = await world.feed.refresh();
    expect(isHeld(last, 'orders')).toBe(false);
  });

  it.each([
    ['writers do not end', (world: TestWorld) => world.databases.blockers.push('a transaction is open')],
    ['the copy does not catch up', (world: TestWorld) => (world.sync.behind = 'it is behind')],
    [
      'rows differ',
      (world: TestWorld) =>
        (world.sync.tail = {
          tables: [{ table: 'orders', compared: 10, different: 1, samples: ['"orders" 7: "total"'] }],
          parked: 0,
        }),
    ],
    ['rows are parked', (world: TestWorld) => (world.sync.tail = { tables: [], parked: 1 })],
  ])('goes back when %s', async (_what, hurt) => {
    const world = cutoverWorld();
    await world.begin();
    hurt(world);
    const { cutover } = await world.coordinator('ann').begin(beginning(world));
    expect(cutover.state).toBe('ABORTED');
    expect(world.databases.fences).toMatchObject({ legacy: { closed: false }, service: { closed: true } });
  });

  it('refuses a second one while one is under way', async () => {
    const world = cutoverWorld();
    await world.begin();
    world.knobs.streams = false;
    const ann = world.coordinator('ann');
    const first = ann.begin(beginning(world));
    await until(async () => (await world.rows()).at(-1) === 'OPEN');
    await expect(ann.begin(beginning(world))).rejects.toMatchObject({ code: 'CUTOVER_RUNNING' });
    await expect(world.coordinator('bob').begin(beginning(world))).rejects.toMatchObject({
      code: 'LEASE_HELD',
      message: expect.stringContaining('"ann"'),
    });
    world.knobs.streams = true;
    await first;
    expect(await world.rows()).toEqual(WHOLE);
  });

  it.each(WHOLE.slice(0, -1))('carries on what another one left in %s', async (state) => {
    const world = cutoverWorld();
    await world.begin();
    // Ann dies right behind the row: nothing she does later gets through.
    const append = world.ledger.appendTogether.bind(world.ledger);
    let dead = false;
    world.ledger.appendTogether = async (parts, guard) => {
      if (dead && guard?.token === 1) return new Promise(() => {});
      const stored = await append(parts, guard);
      dead ||= stored.some(({ cutover }) => cutover?.state === state);
      return stored;
    };
    void world.coordinator('ann').begin(beginning(world));
    await until(async () => (await world.rows()).at(-1) === state && dead);
    await world.leases.release('shop', 1);
    const bob = world.coordinator('bob');
    bob.run();
    await until(async () => (await world.rows()).at(-1) === 'REVERSING');
    await bob.stop();
    expect(await world.rows()).toEqual(WHOLE);
    expect(world.databases).toMatchObject({
      wereBothOpen: false,
      fences: { legacy: { closed: true }, service: { closed: false } },
    });
  });

  it('opens a fence that was closed when its attempt was over, and holds no lease to look', async () => {
    const world = cutoverWorld();
    await world.begin();
    world.databases.blockers.push('a transaction is open');
    const { cutover } = await world.coordinator('ann').begin(beginning(world));
    expect(cutover.state).toBe('ABORTED');
    world.databases.fences.legacy.closed = true;
    const bob = world.coordinator('bob');
    bob.run();
    await until(async () => !world.databases.fences.legacy.closed);
    await bob.stop();
    expect(world.leases.tokenOf('shop')).toBe(2);
    const cem = world.coordinator('cem');
    const { looks } = world.databases;
    cem.run();
    await until(async () => world.databases.looks > looks);
    await cem.stop();
    expect(world.leases.tokenOf('shop')).toBe(2);
  });

  it('that was thought dead writes nothing and moves no fence any more', async () => {
    const world = cutoverWorld();
    await world.begin();
    let wake = () => {};
    const asleep = new Promise<void>((done) => (wake = done));
    const reach = world.world.sync.reach.bind(world.world.sync);
    let isFirst = true;
    world.world.sync.reach = async (migration, wish) => {
      if (isFirst) {
        isFirst = false;
        await asleep;
      }
      await reach(migration, wish);
    };
    const ann = world.coordinator('ann').begin(beginning(world));
    await until(async () => (await world.rows()).at(-1) === 'FENCED');
    await world.leases.release('shop', 1);
    const bob = world.coordinator('bob');
    bob.run();
    await until(async () => (await world.rows()).at(-1) === 'REVERSING');
    await bob.stop();
    const before = structuredClone(world.databases.fences);
    wake();
    await expect(ann).rejects.toMatchObject({ code: expect.stringMatching(/LEASE_LOST|LEASE_HELD/) });
    expect(await world.rows()).toEqual(WHOLE);
    expect(world.databases.fences).toEqual(before);
  });
});
