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
  flagOf,
  type LineWriter,
  NOTHING_KNOWN,
  type Plan,
  type ProxyEvidence,
  type Running,
  type StateSubscription,
  StranglerError,
  subscribeToState,
  urlOf,
} from '@strangler/contracts';
import { accept } from './accept.js';
import { createAccessLog } from './access-log.js';
import { createAdmin } from './admin.js';
import { portUnavailable } from './errors.js';
import { explain } from './explain.js';
import { createExpressLane } from './express-lane.js';
import { exportShares } from './export-shares.js';
import type { Flags } from './flags.js';
import { followState } from './follow-state.js';
import { createForward } from './forward.js';
import { createMetrics } from './metrics.js';
import { openFlags } from './open-flags.js';
import { createPins } from './pins.js';
import { createPipeline, headOf } from './pipeline.js';
import { createRecord } from './record.js';
import { refuseUpgrade } from './refuse.js';
import { createRouting } from './routing.js';
import { createShadow } from './shadow.js';
import { createUpstreams } from './upstreams.js';

export type ProxyOptions = {
  readonly plan: Plan;
  readonly log: Logger;
  /** In place of the plan's flags. */
  readonly flags?: Flags;
  /** In place of the plan's control plane. */
  readonly subscription?: StateSubscription;
  readonly now?: () => number;
  readonly newId?: () => string;
  /** Takes the lines of the access log as texts; without it they are `log`'s. */
  readonly lines?: LineWriter;
  /** False: every request goes the way of node:http. */
  readonly express?: boolean;
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
  let isStopping = false;
  let inContact = plan.control === undefined && options.subscription === undefined;

  const flags = options.flags ?? openFlags(plan, log);
  const metrics = createMetrics(
    () => shadow.pending(),
    () => inFlight.size + (lane?.busy() ?? 0),
    () => lane?.served() ?? 0,
  );
  const upstreams = createUpstreams(plan.upstreams, plan.proxy.shadow.concurrency);
  const routing = createRouting(plan, NOTHING_KNOWN);
  const identity = plan.proxy;
  await flags.start();
  const record = createRecord({
    plan,
    flags,
    flagOf: (name) => plan.migrations[name]?.flag ?? flagOf(name),
    metrics,
    state: NOTHING_KNOWN,
    now,
  });
  exportShares(metrics.registry, () => record.migrations());
  flags.onChange(() => record.changed(routing.current.state));
  const shadow = createShadow({ limits: plan.proxy.shadow, record, sleep });
  const access = createAccessLog(log, options.lines);
  const forward = createForward(upstreams.get('legacy'), refuseUpgrade);
  const parts = {
    proxy: plan.proxy,
    pins: createPins(plan),
    routing,
    identity,
    flags,
    upstreams,
    forward,
    shadow,
    record,
    log,
    access,
    newId,
    now,
  };
  const pipeline = createPipeline(parts);

  for (const name of upstreams.all.keys()) metrics.healthy.set({ upstream: name }, 1);
  upstreams.onHealth((upstream, { healthy, reason }) => {
    metrics.healthy.set({ upstream }, healthy ? 1 : 0);
    if (healthy) log.info({ upstream }, `upstream "${upstream}" is healthy again`);
    else
      log.warn({ upstream }, `upstream "${upstream}" is not healthy (${reason ?? ''}): reads go to legacy`);
  });

  const following = await followState({
    subscription:
      options.subscription ??
      (plan.control &&
        subscribeToState({
          url: urlOf(plan.control.listen),
          subscriber: instance,
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
      routing.put(state);
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
  server.on('request', (request, response) => {
    if (isStopping) response.shouldKeepAlive = false;
    const done = pipeline(request, response)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request broke the pipeline');
        response.destroy();
      })
      .finally(() => {
        inFlight.delete(done);
      });
    inFlight.add(done);
  });
  const lane =
    options.express === false
      ? undefined
      : createExpressLane(server, { plan, parts, onHandOver: () => metrics.handedOver.inc() });
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const accepted = accept(headOf(request), routing.current.paths);
    if (accepted instanceof StranglerError) return refuseUpgrade(socket, accepted);
    forward.upgrade(request, accepted, socket, head);
  });

  const evidence = (): ProxyEvidence => ({
    instance,
    at: new Date(now()).toISOString(),
    startedAt,
    planRevision: plan.revision,
    stateVersion: routing.current.state.version,
    inContact,
    requests: record.requests(),
    upstreams: Object.fromEntries([...upstreams.all].map(([name, { health }]) => [name, health()])),
    migrations: record.migrations(),
  });
  const admin = createAdmin({
    address: plan.proxy.admin,
    isReady: () => !isStopping,
    evidence,
    explain: (question) => explain(parts, question),
    registry: metrics.registry,
  });

  const release = async () => {
    access.flush();
    await following.stop();
    await shadow.stop();
    flags.stop();
    await upstreams.stop();
  };
  try {
    upstreams.start();
    const urls = {
      proxy: await listen(server, plan.proxy.listen),
      admin: await listen(admin, plan.proxy.admin),
    };
    return {
      urls,
      async stop() {
        isStopping = true;
        const closed = new Promise((done) => server.close(done));
        // A connection whose answer was on its way when the stop came is idle only after it.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        await Promise.race([
          Promise.all([...inFlight, lane?.drain()]),
          delay(DRAIN_MS, undefined, { ref: false }),
        ]);
        clearInterval(sweep);
        lane?.stop();
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

async function listen(server: Server, address: Address): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(portUnavailable(`${address.host}:${address.port}`, error)));
    server.listen({ ...address }, done);
  });
  return urlOf({ host: address.host, port: (server.address() as AddressInfo).port });
}
