import { parsePlan, type Phase, type Plan, problemLine, type RoutingState } from '@strangler/contracts';
import { pino } from 'pino';
import { StateFeed } from '../control/state-feed.js';
import { Subscribers } from '../control/subscribers.js';
import {
  canaryTraffic,
  evidenceOf,
  proxyEvidence,
  routeEvidence,
  syncEvidence,
  syncOf,
  verification,
} from '../evidence/evidence.fixture.js';
import { fakeFlagWriter } from '../flags/fake-flag-writer.js';
import { event } from '../ledger/event.fixture.js';
import { fakeLeases } from '../ledger/fake-leases.js';
import { fakeLedger } from '../ledger/fake-ledger.js';
import { foldLedger, routingStateOf } from '../ledger/fold.js';
import type { Control } from '../transition/control.js';
import { Coordinator } from './coordinator.js';
import { fakeDatabases } from './fake-databases.js';
import { fakeSyncHandover } from './fake-sync-handover.js';
import { type CutoverWorld, streamFrom } from './real-steps.js';

const NAMES = ['cart', 'orders', 'search'] as const;

export function planOf(cutover: object = {}): Plan {
  const migration = (name: string) => ({
    owner: 'team',
    upstream: 'service',
    routes: [`GET /${name}`, `POST /${name}`],
    cutover: { drainMs: 50, fenceMs: 50, catchUpMs: 50, verifyMs: 50, quietDays: 1, ...cutover },
    ...(name === 'search'
      ? {}
      : {
          data: {
            from: 'shop',
            to: 'service',
            tables: [{ from: name, to: name, key: { id: 'id' }, columns: { title: 'title' } }],
          },
        }),
  });
  const loaded = parsePlan(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, secret: '!env SECRET' },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      databases: { shop: '!env LEDGER', service: '!env SERVICE' },
      upstreams: { legacy: 'http://a:1', service: 'http://b:1' },
      migrations: Object.fromEntries(NAMES.map((name) => [name, migration(name)])),
      groups: { shop: ['cart', 'orders'] },
    }).replaceAll(/"(!env \w+)"/g, '$1'),
    'plan.yaml',
    { SECRET: '0123456789abcdef', LEDGER: 'mysql://u:p@h/ledger', SERVICE: 'mysql://u:p@h/service' },
  );
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
}

/** A control plane between a proxy, a sync and two databases in memory that do what they are asked, unless a test says otherwise. */
export function cutoverWorld({ phase = 'canary', cutover = {} }: { phase?: Phase; cutover?: object } = {}) {
  const plan = planOf(cutover);
  const leases = fakeLeases();
  const ledger = fakeLedger(Date.now, leases);
  const flags = fakeFlagWriter();
  const { state: databasesState, databases } = fakeDatabases();
  const { state: syncState, sync } = fakeSyncHandover();
  const subscribers = new Subscribers();
  const feed = new StateFeed(ledger);
  const told: RoutingState[] = [];
  const knobs = {
    /** Whether the proxy takes what it is told. */
    follows: true,
    /** Whether sync's streams follow the phase. */
    streams: true,
    lagMs: 40 as number | null,
    parked: 0,
    strayWrites: 0,
  };
  const refresh = feed.refresh.bind(feed);
  feed.refresh = async () => {
    const state = await refresh();
    if (told.at(-1)?.version !== state.version) told.push(state);
    if (knobs.follows) subscribers.seen('proxy-1', state.version, 'http://proxy-1');
    return state;
  };
  const gather = async () => {
    const routing = routingStateOf(await ledger.history());
    const phaseNow = (name: string) => routing.migrations[name]?.phase ?? 'legacy';
    const trafficOf = (name: string) => ({
      ...canaryTraffic(0, phaseNow(name)),
      routes: [routeEvidence(`GET /${name}`, { served: { legacy: 500, service: 100, fallback: 0 } })],
    });
    const now = new Date().toISOString();
    const copy = (name: string) => ({
      ...syncOf({
        verification: verification({ startedAt: now, finishedAt: now }),
        lagMs: knobs.lagMs,
        parked: {
          keys: knobs.parked,
          oldestAt: null,
          samples:
            knobs.parked === 0
              ? []
              : [
                  {
                    key: `${name}:7`,
                    code: 'ROW_REFUSED',
                    problem: 'it has no way back',
                    events: 1,
                    firstSeen: now,
                    lastSeen: now,
                  },
                ],
        },
        strayWrites: { unwatched: null, count: knobs.strayWrites, repaired: 0, samples: [] },
      }),
      stream: streamFrom(knobs.streams && phaseNow(name) === 'extracted' ? 'service' : 'legacy'),
    });
    return {
      ...evidenceOf(
        proxyEvidence(undefined, {
          planRevision: plan.revision,
          upstreams: { service: { healthy: true, reason: null } },
          migrations: Object.fromEntries(NAMES.map((name) => [name, trafficOf(name)])),
        }),
        syncEvidence(undefined, {
          planRevision: plan.revision,
          migrations: { cart: copy('cart'), orders: copy('orders') },
        }),
      ),
      at: Date.now(),
    };
  };
  const world: CutoverWorld = {
    plan,
    ledger,
    flags,
    feed,
    subscribers,
    evidence: { gather },
    databases: () => databases,
    sync,
  };
  const coordinator = (owner: string) =>
    new Coordinator({
      world,
      leases,
      owner,
      log: pino({ level: 'silent' }),
      // Renewed and looked after by nobody but the test.
      sleep: (milliseconds, signal) =>
        new Promise((ended) => {
          signal.addEventListener('abort', () => ended(), { once: true });
          if (signal.aborted || milliseconds < 1_000) ended();
        }),
    });
  const control: Control = {
    ...world,
    coordinator: coordinator('ann'),
    verify: async () => {
      throw new Error('nothing is verified here');
    },
  };
  return {
    plan,
    control,
    world,
    ledger,
    leases,
    flags,
    feed,
    told,
    knobs,
    sync: syncState,
    databases: databasesState,
    coordinator,
    /** Brings migrations where the test begins, past all gates. */
    begin: async (names: readonly string[] = ['cart', 'orders']) => {
      for (const name of names) {
        await ledger.append(name, 0, [event({ from: 'legacy', to: phase, shareTo: 100 })]);
        await flags.setShare('strangler.shop', 100);
      }
      await feed.refresh();
    },
    rows: async (name = 'orders') =>
      (await ledger.history()).flatMap(({ migration, cutover: row }) =>
        migration === name && row ? [row.state] : [],
      ),
    standing: async (name = 'orders') => foldLedger(await ledger.history()).get(name),
  };
}
export type TestWorld = ReturnType<typeof cutoverWorld>;
