import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  flagOf,
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
import { openAccessLog } from './access-log.js';
import { createAdmin } from './admin.js';
import { createEntrance } from './entrance.js';
import { explain } from './explain.js';
import { exportEntrance } from './export-entrance.js';
import { exportShares } from './export-shares.js';
import type { Flags } from './flags.js';
import { followState } from './follow-state.js';
import { createForward } from './forward.js';
import { headOf } from './head-of.js';
import { createListeners, type Listeners, listenOn } from './listeners.js';
import { createMetrics } from './metrics.js';
import { openFlags } from './open-flags.js';
import { createSpanQueue, openSpanSink, type SpanSink } from './open-tracing.js';
import { createPins } from './pins.js';
import { createPipeline } from './pipeline.js';
import { createRandomHex, type RandomHex } from './random-hex.js';
import { createRecord } from './record.js';
import { refuseUpgrade } from './refuse.js';
import { tagAnswer } from './request-id.js';
import { createRouting } from './routing.js';
import { createShadow } from './shadow.js';
import { tellTlsPair } from './tell-tls-pair.js';
import { createTracing } from './tracing.js';
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
  /** For ids of requests, traces and spans. */
  readonly randomHex?: RandomHex;
  /** In place of the plan's collector. */
  readonly spanSink?: SpanSink;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const DRAIN_MS = 8_000;

/** Starts the proxy of a plan: `urls.proxy` takes the traffic, `urls.admin` shows what becomes of it. Throws PROXY_PORT_UNAVAILABLE. */
export async function createProxy(options: ProxyOptions): Promise<Running> {
  const { plan, log } = options;
  const {
    now = () => performance.timeOrigin + performance.now(),
    newId = () => randomBytes(16).toString('base64url'),
    randomHex = createRandomHex(),
  } = options;
  const sleep =
    options.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}));
  const startedAt = new Date(now()).toISOString();
  // Containers count their pids from 1: without the host, replicas would acknowledge states for each other.
  const instance = `proxy-${hostname()}-${process.pid}`;
  let isStopping = false;
  let inContact = plan.control === undefined && options.subscription === undefined;

  const flags = options.flags ?? openFlags(plan, log);
  const metrics = createMetrics(() => shadow.pending());
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
  const entrance = createEntrance(plan.proxy, { randomHex });
  const entranceMetrics = exportEntrance(metrics.registry);
  const tracing =
    plan.proxy.tracing &&
    createTracing({
      queue: createSpanQueue(options.spanSink ?? (await openSpanSink(plan.proxy.tracing)), (count) =>
        entranceMetrics.spansDropped.inc(count),
      ),
      service: plan.proxy.tracing.service,
      instance,
      randomHex,
      now,
    });
  const shadow = createShadow({ limits: plan.proxy.shadow, record, sleep, tracing });
  const forward = createForward(upstreams.get('legacy'), refuseUpgrade);
  const parts = {
    proxy: plan.proxy,
    pins: createPins(plan),
    routing,
    entrance,
    accessLog: openAccessLog(plan, log),
    tracing,
    identity,
    flags,
    upstreams,
    forward,
    shadow,
    record,
    log,
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
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (isStopping) response.shouldKeepAlive = false;
    metrics.inFlight.inc();
    const done = pipeline(request, response)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request broke the pipeline');
        response.destroy();
      })
      .finally(() => {
        metrics.inFlight.dec();
        inFlight.delete(done);
      });
    inFlight.add(done);
  };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const asked = headOf(request);
    const accepted = asked instanceof StranglerError ? asked : accept(asked, routing.current.paths, entrance);
    if (accepted instanceof StranglerError) return refuseUpgrade(socket, accepted);
    tagAnswer(socket, accepted.requestId);
    forward.upgrade(request, accepted, socket, head);
  };

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
    await following.stop();
    await shadow.stop();
    flags.stop();
    await upstreams.stop();
    await Promise.all([tracing?.stop(), parts.accessLog.stop()]);
  };
  let listeners: Listeners | undefined;
  try {
    listeners = await createListeners({
      plan,
      onRequest,
      onUpgrade,
      onTlsPair: (pair) => tellTlsPair(pair, log, entranceMetrics, now()),
    });
    upstreams.start();
    const urls = { ...(await listeners.listen()), admin: await listenOn(admin, plan.proxy.admin) };
    const opened = listeners;
    return {
      urls,
      async stop() {
        isStopping = true;
        const served = Promise.race([Promise.all(inFlight), delay(DRAIN_MS, undefined, { ref: false })]);
        await opened.stop(
          served.finally(() => {
            for (const socket of upgraded) socket.destroy();
          }),
        );
        await release();
        admin.close();
        admin.closeAllConnections();
      },
    };
  } catch (error) {
    await listeners?.stop(Promise.resolve());
    admin.close();
    await release();
    throw error;
  }
}
