import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  type Address,
  NOTHING_KNOWN,
  type Plan,
  type ProxyEvidence,
  type Running,
  type StateSubscription,
  StranglerError,
  subscribeToState,
  type Upstream as UpstreamPlan,
  urlOf,
} from '@strangler/contracts';
import { accept } from './accept.js';
import { createAdmin } from './admin.js';
import { createAuthenticate, keysPage } from './authenticate.js';
import { compilePlan, type Lasting } from './compile-plan.js';
import { countIdentities } from './count-identities.js';
import type { Health } from './decide.js';
import { portUnavailable } from './errors.js';
import { explain } from './explain.js';
import { exportShares } from './export-shares.js';
import type { Flags } from './flags.js';
import { followState } from './follow-state.js';
import { createPlanInForce, type PlanInForce } from './in-force.js';
import { createKept } from './kept.js';
import { createMetrics } from './metrics.js';
import { openFlags } from './open-flags.js';
import { headOf } from './pipeline.js';
import type { PlanSource } from './plan-file.js';
import { createRecord } from './record.js';
import { refuseUpgrade } from './refuse.js';
import { createReload, type Reload } from './reload.js';
import { openUpstream, type Upstream } from './upstreams.js';

export type ProxyOptions = {
  readonly plan: Plan;
  readonly log: Logger;
  /** Where changes of the plan come from; without it the plan stays as it is. */
  readonly source?: PlanSource;
  /** In place of the plan's flags. */
  readonly flags?: Flags;
  /** In place of the plan's control plane. */
  readonly subscription?: StateSubscription;
  readonly now?: () => number;
  readonly newId?: () => string;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const MAX_HEADER_BYTES = 65_536;
// Longer than the idle time of usual load balancers, so that it is they who close a connection.
const CLIENT_KEEP_ALIVE_MS = 65_000;
const DRAIN_MS = 8_000;
const HIGH_WATER_BYTES = 131_072;

/** Starts the proxy of a plan: `urls.proxy` takes the traffic, `urls.admin` shows what becomes of it. Throws PROXY_PORT_UNAVAILABLE. */
export async function createProxy(options: ProxyOptions): Promise<Running> {
  const { plan, log } = options;
  const {
    now = () => performance.timeOrigin + performance.now(),
    newId = () => randomBytes(16).toString('base64url'),
  } = options;
  const sleep =
    options.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}));
  const startedAt = new Date(now()).toISOString();
  // Containers count their pids from 1: without the host, replicas would acknowledge states for each other.
  const instance = `proxy-${hostname()}-${process.pid}`;
  let isServing = false;
  let isStopping = false;
  let inContact = plan.control === undefined && options.subscription === undefined;

  let inForce: PlanInForce | undefined;
  const stateNow = () => inForce?.current.parts.routing.current.state ?? NOTHING_KNOWN;
  const metrics = createMetrics(() => sum((inForce?.all() ?? []).map(({ parts }) => parts.shadow.pending())));
  const record = createRecord({ metrics, now });
  const count = countIdentities(metrics.registry);
  const lasting: Lasting = {
    record,
    log,
    newId,
    now,
    sleep,
    upstreams: createKept((opened) => opened.close()),
    openUpstream: (name, { upstreams, proxy }) =>
      openUpstream(name, upstreams[name] as UpstreamPlan, proxy.shadow.concurrency, tellHealth),
    flags: createKept(({ flags }) => flags.stop()),
    forwards: createKept(() => {}),
    flagsKey: ({ flags, folder }) => (options.flags ? 'given' : JSON.stringify([flags, folder])),
    openFlags(each) {
      const flags = options.flags ?? openFlags(each, log);
      flags.onChange(() => record.changed(stateNow()));
      return { flags, ready: flags.start() };
    },
    authenticates: createKept(async (opened) => (await opened.catch(() => undefined))?.stop()),
    openAuthenticate: (each, legacy) => createAuthenticate({ plan: each, legacy, count, log, now }),
  };
  const plans = (inForce = createPlanInForce(await compilePlan(plan, lasting, NOTHING_KNOWN)));
  exportShares(metrics.registry, () => record.migrations());
  const showPlan = () => {
    const { plan: shown, parts } = plans.current;
    record.follow(shown, parts.flags, stateNow());
    metrics.healthy.reset();
    for (const [name, { health }] of parts.upstreams.all)
      metrics.healthy.set({ upstream: name }, health().healthy ? 1 : 0);
  };
  showPlan();
  function tellHealth(upstream: Upstream, { healthy, reason }: Health): void {
    const { name } = upstream;
    // One that only requests of an older plan still use says nothing of the one that has its name now.
    if (inForce?.current.parts.upstreams.all.get(name) !== upstream) return;
    metrics.healthy.set({ upstream: name }, healthy ? 1 : 0);
    if (healthy) log.info({ upstream: name }, `upstream "${name}" is healthy again`);
    else
      log.warn({ upstream: name }, `upstream "${name}" is not healthy (${reason ?? ''}): reads go to legacy`);
  }

  let reloading: Reload | undefined;
  const evidence = (): ProxyEvidence => ({
    instance,
    at: new Date(now()).toISOString(),
    startedAt,
    planRevision: plans.current.plan.revision,
    plan: { revision: plans.current.plan.revision, rejected: reloading?.rejected() ?? null },
    stateVersion: stateNow().version,
    inContact,
    requests: record.requests(),
    upstreams: Object.fromEntries(
      [...plans.current.parts.upstreams.all].map(([name, { health }]) => [name, health()]),
    ),
    migrations: record.migrations(),
  });
  const admin = createAdmin({
    address: plan.proxy.admin,
    isReady: () => isServing && !isStopping,
    evidence,
    explain(question) {
      const { parts, plan: by } = plans.current;
      const self = { instance, planRevision: by.revision, stateVersion: stateNow().version };
      return explain(parts, question, self);
    },
    registry: metrics.registry,
    pages: () => keysPage(plans.current.plan, plans.current.parts.authenticate),
  });

  // Before anything else: the control plane is told where it is.
  const adminUrl = await listen(admin, plan.proxy.admin).catch(async (error: unknown) => {
    await plans.end();
    throw error;
  });

  const following = await followState({
    subscription:
      options.subscription ??
      (plan.control &&
        subscribeToState({
          url: urlOf(plan.control.listen),
          subscriber: instance,
          adminPort: Number(new URL(adminUrl).port),
          onContact(contact) {
            setContact(!contact.lost);
            if (contact.lost)
              log.warn(`control plane is out of reach (${contact.reason}): the last state stays in force`);
            else log.info('control plane is back');
          },
        })),
    file: plan.proxy.stateFile === undefined ? undefined : resolve(plan.folder, plan.proxy.stateFile),
    log,
    onState(state, isNews) {
      plans.current.parts.routing.put(state);
      record.changed(state);
      metrics.stateVersion.set(state.version);
      if (isNews) setContact(true);
    },
  });
  function setContact(is: boolean): void {
    inContact = is;
    metrics.inContact.set(is ? 1 : 0);
  }

  const inFlight = new Set<Promise<void>>();
  const upgraded = new Set<Duplex>();
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: CLIENT_KEEP_ALIVE_MS,
    // An upload may take as long as it needs; a head may not.
    requestTimeout: 0,
    // What may wait in memory for a slow client or upstream; with less, an answer of 100 KiB stops and starts on its way.
    highWaterMark: HIGH_WATER_BYTES,
    // "Upgrade: h2c" and the like are answered as the plain requests they also are (RFC 9110, 7.8).
    shouldUpgradeCallback: (request) => request.headers.upgrade?.trim().toLowerCase() === 'websocket',
  });
  // Each legacy that the plan has had leaves a listener.
  server.setMaxListeners(0);
  server.on('request', (request, response) => {
    if (isStopping) response.shouldKeepAlive = false;
    metrics.inFlight.inc();
    const entered = plans.enter();
    const done = entered
      .pipeline(request, response)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request broke the pipeline');
        response.destroy();
      })
      .finally(() => {
        metrics.inFlight.dec();
        plans.leave(entered);
        inFlight.delete(done);
      });
    inFlight.add(done);
  });
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const { parts } = plans.current;
    const accepted = accept(headOf(request), parts.routing.current.paths);
    if (accepted instanceof StranglerError) return refuseUpgrade(socket, accepted);
    parts.forward.upgrade(request, accepted, socket, head);
  });

  const release = async () => {
    await reloading?.stop();
    await following.stop();
    await plans.end();
  };
  try {
    const urls = {
      proxy: await listen(server, plan.proxy.listen),
      admin: adminUrl,
    };
    isServing = true;
    const { source } = options;
    if (source) {
      reloading = await createReload({
        source,
        inForce: plans,
        compile: (next) => compilePlan(next, lasting, stateNow()),
        put(next) {
          // What the control plane has said while it was compiled.
          next.parts.routing.put(stateNow());
          plans.put(next);
          showPlan();
        },
        metrics,
        log,
        now,
      });
    }
    return {
      urls,
      ...(reloading && { reload: async () => reloading?.reload() }),
      async stop() {
        isStopping = true;
        const closed = new Promise((done) => server.close(done));
        // A connection whose answer was on its way when the stop came is idle only after it.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        await Promise.race([Promise.all(inFlight), delay(DRAIN_MS, undefined, { ref: false })]);
        clearInterval(sweep);
        for (const socket of upgraded) socket.destroy();
        server.closeAllConnections();
        await closed;
        await release();
        admin.close();
        admin.closeAllConnections();
      },
    };
  } catch (error) {
    server.close();
    admin.close();
    await release();
    throw error;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

async function listen(server: Server, address: Address): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(portUnavailable(`${address.host}:${address.port}`, error)));
    server.listen({ ...address }, done);
  });
  return urlOf({ host: address.host, port: (server.address() as AddressInfo).port });
}
