import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { MigrationTraffic, Verification } from '@strangler/contracts';
import { pino } from 'pino';
import {
  canaryTraffic,
  proxyEvidence,
  syncEvidence,
  syncOf,
  traffic,
  verification,
} from '../evidence/evidence.fixture.js';
import { httpEvidence } from '../evidence/http-evidence.js';
import { Coordinator } from '../cutover/coordinator.js';
import { fakeDatabases } from '../cutover/fake-databases.js';
import { syncHandover } from '../cutover/sync-handover.js';
import { fakeFlagWriter } from '../flags/fake-flag-writer.js';
import { fakeLeases } from '../ledger/fake-leases.js';
import { fakeLedger } from '../ledger/fake-ledger.js';
import { planOf } from '../plan.fixture.js';
import type { Control } from '../transition/control.js';
import { askSync } from './ask-sync.js';
import { serveControl } from './serve.js';
import { StateFeed } from './state-feed.js';
import { Subscribers } from './subscribers.js';

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly type: string | undefined;
  readonly authorization?: string | undefined;
};

/** A small admin port of a proxy or a sync: answers what it is told to. */
export async function adminServer(
  answer: (asked: Asked) => Promise<{ status?: number; body: unknown } | undefined>,
) {
  const server = createServer((request, response) => {
    const asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      type: request.headers['content-type'],
      authorization: request.headers.authorization,
    };
    void answer(asked).then(({ status = 200, body } = { status: 404, body: {} }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** A control plane over real HTTP, with a ledger and flags in memory, between a proxy and a sync that a test scripts. */
export async function controlWorld({
  tokens = false,
  clock,
}: { readonly tokens?: boolean; readonly clock?: () => number } = {}) {
  const state = {
    traffic: undefined as MigrationTraffic | undefined,
    sync: syncOf({ verification: null }),
    verification: verification(),
    verifyAnswer: undefined as { status: number; body: unknown } | undefined,
    asked: [] as Asked[],
    /** What those who asked showed. */
    shown: new Set<string | undefined>(),
  };
  const flags = fakeFlagWriter();
  const leases = fakeLeases();
  const ledger = fakeLedger(Date.now, leases);
  // A verification of now: one from before the copy was begun would not count.
  const fresh = (): Verification => {
    const now = new Date().toISOString();
    return { ...state.verification, startedAt: now, finishedAt: now };
  };
  /** As the proxy would say it: the phase of the ledger, the share of the flag, and ever more answers of the service. */
  let looks = 0;
  const trafficNow = async (): Promise<MigrationTraffic> => {
    if (state.traffic) return state.traffic;
    const share = (await flags.share('strangler.catalog').catch(() => 0)) ?? 0;
    const phase = (await ledger.history()).findLast(({ kind }) => kind !== 'refused')?.to ?? 'legacy';
    if (phase !== 'canary') return traffic({ phase });
    const seen = canaryTraffic(share);
    const routes = seen.routes.map((route) => ({
      ...route,
      served: { ...route.served, service: route.served.service + 10 * ++looks },
    }));
    return { ...seen, routes };
  };
  let revision = '';
  const proxy = await adminServer(async ({ path, method, type, authorization }) => {
    state.shown.add(authorization);
    state.asked.push({ path, method, type });
    if (path !== '/evidence') return undefined;
    return { body: proxyEvidence(await trafficNow(), { planRevision: revision }) };
  });
  const sync = await adminServer(async ({ path, method, type, authorization }) => {
    state.shown.add(authorization);
    state.asked.push({ path, method, type });
    if (path === '/evidence') return { body: syncEvidence(state.sync, { planRevision: revision }) };
    if (method === 'POST' && path === '/migrations/catalog/verify')
      return state.verifyAnswer ?? { body: fresh() };
    return undefined;
  });
  const plan = planOf({ proxyAdmin: proxy.port, sync: sync.port, control: 0, tokens });
  revision = plan.revision;
  const subscribers = new Subscribers(clock);
  const feed = new StateFeed(ledger);
  const evidence = httpEvidence(plan, { subscribers });
  const { databases } = fakeDatabases();
  const control: Control = {
    plan,
    ledger,
    flags,
    feed,
    subscribers,
    evidence,
    verify: askSync(plan),
    databases: () => databases,
    sync: syncHandover(plan),
    coordinator: new Coordinator({
      world: {
        plan,
        ledger,
        flags,
        feed,
        subscribers,
        evidence,
        databases: () => databases,
        sync: syncHandover(plan),
      },
      leases,
      owner: 'control-1',
      log: pino({ level: 'silent' }),
    }),
  };
  const served = await serveControl(control, { host: '127.0.0.1', port: 0 }, pino({ level: 'silent' }));
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${served.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : undefined) as never };
  };
  return {
    plan,
    state,
    flags,
    ledger,
    control,
    url: served.url,
    get: (path: string) => send('GET', path),
    post: (path: string, body: unknown) => send('POST', path, body),
    advance: (wish: object = {}) => send('POST', '/v1/migrations/catalog/advance', { by: 'ann', ...wish }),
    rollback: (wish: object = {}) => send('POST', '/v1/migrations/catalog/rollback', { by: 'ann', ...wish }),
    verify: () => send('POST', '/v1/migrations/catalog/verify', { by: 'ann' }),
    stopProxy: proxy.stop,
    async stop() {
      await served.stop();
      await proxy.stop();
      await sync.stop();
    },
  };
}
export type ControlWorld = Awaited<ReturnType<typeof controlWorld>>;

/** A request with headers that `fetch` would not send; answers its status. */
export const rawStatus = (url: string, head: string): Promise<number> =>
  new Promise((done, fail) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(`${head}\r\n\r\n`));
    socket.once('data', (data) => {
      done(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1]));
      socket.destroy();
    });
    socket.once('error', fail);
  });
