import { beforeEach, describe, expect, it } from '@jest/globals';
import { parsePlan, type Phase, type Plan, problemLine, type RoutingState } from '@strangler/contracts';
import { StateFeed } from '../control/state-feed.js';
import { Subscribers } from '../control/subscribers.js';
import { ledgerFailed } from '../errors.js';
import {
  canaryTraffic,
  evidenceOf,
  proxyEvidence,
  routeEvidence,
  syncEvidence,
} from '../evidence/evidence.fixture.js';
import { fakeDatabases } from '../cutover/fake-databases.js';
import { fakeSyncHandover } from '../cutover/fake-sync-handover.js';
import { fakeFlagWriter } from '../flags/fake-flag-writer.js';
import { fakeLedger } from '../ledger/fake-ledger.js';
import { event } from '../ledger/event.fixture.js';
import { routingStateOf } from '../ledger/fold.js';
import { compileReport } from '../report/compile-report.js';
import { statusOf } from '../report/report.js';
import { statusText } from '../cli/print-status.js';
import { reportMarkdown } from '../report/markdown.js';
import type { Control } from './control.js';
import { advance, rollback } from './pipeline.js';

const NAMES = ['cart', 'orders', 'search'] as const;

function planOf(): Plan {
  const migration = (name: string) => ({ owner: 'team', upstream: 'service', routes: [`GET /${name}`] });
  const loaded = parsePlan(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, secret: '!env SECRET' },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      upstreams: { legacy: 'http://a:1', service: 'http://b:1' },
      migrations: Object.fromEntries(NAMES.map((name) => [name, migration(name)])),
      groups: { shop: ['cart', 'orders'] },
    }).replaceAll(/"(!env \w+)"/g, '$1'),
    'plan.yaml',
    { SECRET: '0123456789abcdef', LEDGER: 'mysql://u:p@h/ledger' },
  );
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
}

/** A control plane whose proxy sees all that the gates want, unless a migration is said to be noisy. */
function worldOf() {
  const plan = planOf();
  const ledger = fakeLedger();
  const flags = fakeFlagWriter();
  const noisy = new Set<string>();
  const asked: string[] = [];
  let looks = 0;
  let isShareKnown = true;
  const gather = async () => {
    const share = (await flags.share('strangler.shop')) ?? 0;
    const state = routingStateOf(await ledger.history());
    const seen = (name: string) => canaryTraffic(share, state.migrations[name]?.phase ?? 'legacy');
    const trafficOf = (name: string) => ({
      ...seen(name),
      share: { ...seen(name).share, ...(!isShareKnown && { configured: null }) },
      routes: [
        routeEvidence(`GET /${name}`, {
          served: { legacy: 500, service: 100 * ++looks, fallback: 0 },
          ...(noisy.has(name) && { cleanSinceMismatch: 2 }),
        }),
      ],
    });
    const proxy = proxyEvidence(undefined, {
      planRevision: plan.revision,
      upstreams: { service: { healthy: true, reason: null } },
      migrations: Object.fromEntries(NAMES.map((name) => [name, trafficOf(name)])),
    });
    return evidenceOf(proxy, syncEvidence(undefined, { planRevision: plan.revision }));
  };
  const control: Control = {
    plan,
    ledger,
    flags: {
      ...flags,
      setShare: async (flag, share) => {
        asked.push(`${flag} ${share}`);
        await flags.setShare(flag, share);
      },
    },
    feed: new StateFeed(ledger),
    subscribers: new Subscribers(),
    evidence: { gather },
    verify: async () => {
      throw new Error('nothing is verified here');
    },
    coordinator: {
      begin: async () => {
        throw new Error('nothing changes sides here');
      },
    },
    databases: () => fakeDatabases().databases,
    sync: fakeSyncHandover().sync,
  };
  const state = async () => routingStateOf(await ledger.history());
  return {
    plan,
    ledger,
    flags,
    noisy,
    asked,
    /** Then nobody waits for the share of a move that another has overtaken. */
    hideShare: () => {
      isShareKnown = false;
    },
    control,
    gather,
    state,
    phases: async () => {
      const { migrations } = await state();
      return NAMES.map((name) => migrations[name]?.phase ?? 'legacy');
    },
    go: (name: string, wish: object = {}) => advance(control, name, { by: 'ann', ...wish }),
    back: (name: string, wish: object = {}) => rollback(control, name, { by: 'ann', ...wish }),
    walkTo: async (phase: Phase) => {
      while ((await state()).migrations['cart']?.phase !== phase)
        await advance(control, 'shop', { by: 'ann' });
    },
  };
}
let world: ReturnType<typeof worldOf>;
beforeEach(() => {
  world = worldOf();
});

describe('a group', () => {
  it('goes as one: one change of the ledger and of the routing state, one flag', async () => {
    const versions: number[] = [];
    for (const phase of ['syncing', 'shadow', 'canary'] as const) {
      expect(await world.go('shop')).toMatchObject({
        migration: 'shop',
        members: ['cart', 'orders'],
        to: phase,
      });
      versions.push((await world.control.feed.refresh()).version);
      expect(await world.phases()).toEqual([phase, phase, 'legacy']);
    }
    expect(await world.go('shop')).toMatchObject({ shareFrom: 10, shareTo: 50 });
    expect(world.asked).toEqual(['strangler.shop 10', 'strangler.shop 50']);
    expect(await world.back('shop', { to: 'syncing' })).toMatchObject({ from: 'canary', to: 'syncing' });
    expect(await world.phases()).toEqual(['syncing', 'syncing', 'legacy']);
    expect(await world.flags.share('strangler.shop')).toBe(0);
    expect((await world.state()).migrations).toMatchObject({
      cart: { generation: 2 },
      orders: { generation: 2 },
    });
  });

  it('waits for the gates of all its migrations, and is told all that is missing at once', async () => {
    await world.walkTo('shadow');
    world.noisy.add('cart').add('orders');
    const refused = await world.go('shop').catch((error: unknown) => error as Error & { code: string });
    expect(refused).toMatchObject({
      code: 'GATE_UNMET',
      message: expect.stringMatching(
        /^migration "shop" .*cart\/comparisons: .*cart\/comparisons-per-route: .*orders\/comparisons: .*orders\/comparisons-per-route: /,
      ),
    });
    world.noisy.delete('cart');
    await expect(world.go('shop')).rejects.toMatchObject({ code: 'GATE_UNMET' });
    expect(await world.phases()).toEqual(['shadow', 'shadow', 'legacy']);
    const forced = await world.go('shop', { force: true, why: 'we know' });
    expect(forced).toMatchObject({ forced: true, to: 'canary' });
    expect((await world.ledger.history()).slice(-2).map(({ migration, kind }) => [migration, kind])).toEqual([
      ['cart', 'forced'],
      ['orders', 'forced'],
    ]);
  });

  it.each([
    ['advance', () => world.go('cart'), 'use "strangler advance shop"'],
    ['rollback', () => world.back('orders'), 'use "strangler rollback shop"'],
  ] as const)('is named to whoever wants to %s a part of it', async (_verb, work, remedy) => {
    await world.walkTo('shadow');
    await expect(work()).rejects.toMatchObject({
      code: 'MEMBER_OF_GROUP',
      message: expect.stringContaining(remedy),
    });
    expect(await world.phases()).toEqual(['shadow', 'shadow', 'legacy']);
    await expect(world.go('nothing')).rejects.toMatchObject({
      message: expect.stringContaining('"search", "shop"'),
    });
  });

  it('leaves the others alone', async () => {
    await world.go('search');
    expect(await world.phases()).toEqual(['legacy', 'legacy', 'syncing']);
  });

  it('put together while apart cannot advance, and comes together by going back', async () => {
    await world.ledger.append('cart', 0, [event(), event({ from: 'syncing', to: 'shadow' })]);
    await world.ledger.append('orders', 0, [event()]);
    await expect(world.go('shop')).rejects.toMatchObject({
      code: 'GROUP_APART',
      message: expect.stringContaining(
        '("cart" in "shadow", "orders" in "syncing"): bring them together with "strangler rollback shop --to syncing"',
      ),
    });
    expect(await world.back('shop')).toMatchObject({ members: ['cart'], from: 'shadow', to: 'syncing' });
    expect(await world.phases()).toEqual(['syncing', 'syncing', 'legacy']);
    await world.go('shop');
  });

  it('is brought back by its flag alone when the ledger is out of reach', async () => {
    await world.walkTo('canary');
    await world.control.feed.refresh();
    Object.assign(world.ledger, {
      appendTogether: async () => {
        throw ledgerFailed('db', new Error('gone'));
      },
    });
    await expect(world.back('shop')).rejects.toMatchObject({ code: 'ROLLED_BACK_BY_FLAG_ONLY' });
    expect(await world.flags.share('strangler.shop')).toBe(0);
  });

  it('says beforehand what would be written for each of its migrations', async () => {
    const { steps } = await world.go('shop', { dryRun: true });
    expect(steps[0]).toMatch(/^would write to the ledger: .*; /);
    expect(await world.ledger.size()).toBe(0);
  });

  it('shows in status and report, with one next step for all', async () => {
    await world.walkTo('shadow');
    world.noisy.add('orders');
    const report = compileReport({
      plan: world.plan,
      history: await world.ledger.history(),
      evidence: await world.gather(),
      shares: {},
      subscribers: [],
      lost: [],
      complaints: [],
    });
    expect(report.groups).toEqual([
      { name: 'shop', flag: 'strangler.shop', members: ['cart', 'orders'], phase: 'shadow' },
    ]);
    const [cart, orders, search] = report.migrations;
    expect([cart?.group, orders?.group, search?.group]).toEqual(['shop', 'shop', null]);
    // Its own gates are met; those of the group are not.
    expect([cart?.next.ready, cart?.next.gates.length]).toEqual([false, orders?.next.gates.length]);
    const sentence = 'Group "shop": "cart", "orders" move together, all in "shadow"';
    expect(statusText(statusOf(report))).toContain(sentence);
    expect(reportMarkdown(report)).toContain('| Group | shop |');
  });
});

/** mulberry32: the same numbers for the same seed. */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

it.each([1, 2, 3])(
  'no state is ever handed out in which migrations of a group differ, whatever operators try at once (seed %i)',
  async (seed) => {
    const random = randomFrom(seed);
    world.hideShare();
    const states: RoutingState[] = [];
    const { ledger } = world;
    const inner = { ...ledger };
    const seen = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work;
      } finally {
        states.push(await world.state());
      }
    };
    Object.assign(ledger, {
      append: (...args: Parameters<typeof ledger.append>) => seen(inner.append(...args)),
      appendTogether: (...args: Parameters<typeof ledger.appendTogether>) =>
        seen(inner.appendTogether(...args)),
    });
    const moves = [
      () => world.go('shop'),
      () => world.go('shop', { force: true, why: 'now' }),
      () => world.back('shop'),
      () => world.back('shop', { to: 'legacy' }),
      () => world.go('cart', { force: true, why: 'alone' }),
      () => world.back('orders'),
      () => world.go('search', { force: true, why: 'another' }),
    ];
    const codes = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const chosen = Array.from({ length: 3 }, () => Math.floor(random() * moves.length));
      for (const outcome of await Promise.allSettled(chosen.map(async (index) => moves[index]?.())))
        if (outcome.status === 'rejected') codes.add((outcome.reason as { code: string }).code);
    }
    const differing = states.filter(
      ({ migrations: { cart, orders } }) =>
        cart?.phase !== orders?.phase || cart?.generation !== orders?.generation,
    );
    expect(differing).toEqual([]);
    expect(new Set(states.map(({ migrations }) => migrations['cart']?.phase)).size).toBeGreaterThan(3);
    expect([...codes]).toEqual(expect.arrayContaining(['MEMBER_OF_GROUP', 'LEDGER_CHANGED_MEANWHILE']));
  },
);
