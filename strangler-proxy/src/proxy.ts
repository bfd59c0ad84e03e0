// Long: the one place where all parts of the proxy are put together; each line says what a part is given.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  httpWatermarkSource,
  NOTHING_KNOWN,
  type Plan,
  type ProxyEvidence,
  type Running,
  type StateSubscription,
  type StranglerError,
  subscribeToState,
  urlOf,
  type WatermarkSource,
} from '@strangler/contracts';
import { openAccessLog } from './access-log.js';
import { createAdmin } from './admin.js';
import { createAdmissions } from './admissions.js';
import { createAuthenticate, keysPage } from './authenticate.js';
import { compilePlan, type Lasting } from './compile-plan.js';
import { countIdentities } from './count-identities.js';
import { createEntrance } from './entrance.js';
import { explain } from './explain.js';
import { createExpressLane, type ExpressLane } from './express-lane.js';
import { exportEntrance } from './export-entrance.js';
import { exportShares } from './export-shares.js';
import { exportUpstreams } from './export-upstreams.js';
import type { Flags } from './flags.js';
import type { Lookup } from './follow-addresses.js';
import { followState } from './follow-state.js';
import { followWatermarks } from './follow-watermarks.js';
import { createPlanInForce, type PlanInForce } from './in-force.js';
import { createKept } from './kept.js';
import { createListeners, type Listeners, listenOn } from './listeners.js';
import { createMetrics } from './metrics.js';
import { openFlags } from './open-flags.js';
import { openGrpc } from './open-grpc.js';
import { createSpanQueue, openSpanSink, type SpanSink } from './open-tracing.js';
import type { PlanSource } from './plan-file.js';
import { createRandomHex, type RandomHex } from './random-hex.js';
import { createRecord } from './record.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { createReload, type Reload } from './reload.js';
import { tagAnswer } from './request-id.js';
import { serveUpgrade } from './serve-upgrade.js';
import { drainMsOf } from './hold-write.js';
import { type LoopWatch, watchLoop } from './strain.js';
import { tellTlsPair } from './tell-tls-pair.js';
import { tellUpstreams } from './tell-upstreams.js';
import { createTracing } from './tracing.js';
import { openUpstream, type UpstreamListener } from './upstreams.js';
import { createWriteGate } from './write-gate.js';

export type ProxyOptions = {
  readonly plan: Plan;
  readonly log: Logger;
  /** Where changes of the plan come from; without it the plan stays as it is. */
  readonly source?: PlanSource;
  /** In place of the plan's flags. */
  readonly flags?: Flags;
  /** In place of the plan's control plane. */
  readonly subscription?: StateSubscription;
  /** In place of the plan's sync. */
  readonly watermarks?: WatermarkSource;
  /** In place of Node's monitor of the event loop. */
  readonly watchLoop?: () => LoopWatch;
  readonly now?: () => number;
  readonly newId?: () => string;
  /** For ids of requests, traces and spans. */
  readonly randomHex?: RandomHex;
  /** In place of the plan's collector. */
  readonly spanSink?: SpanSink;
  /** How names of upstreams become addresses. */
  readonly lookup?: Lookup;
  readonly random?: () => number;
  /** False: every request goes the way of node:http. */
  readonly express?: boolean;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const DRAIN_MS = 8_000;
const { timeOrigin } = performance;
const clock = (): number => timeOrigin + performance.now();

/** Starts the proxy of a plan: `urls.proxy` takes the traffic, `urls.admin` shows what becomes of it. Throws PROXY_PORT_UNAVAILABLE. */
export async function createProxy(options: ProxyOptions): Promise<Running> {
  const { plan, log } = options;
  const {
    now = clock,
    newId = () => randomBytes(16).toString('base64url'),
    randomHex = createRandomHex(),
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
  const admissions = createAdmissions({ now, sleep, watchLoop: options.watchLoop ?? watchLoop });
  const inFlight = new Set<Promise<void>>();
  let lane: ExpressLane | undefined;
  const metrics = createMetrics(
    () => sum((inForce?.all() ?? []).map(({ parts }) => parts.shadow.pending())),
    () => inFlight.size + (lane?.busy() ?? 0),
    () => lane?.served() ?? 0,
    () => admissions.waiting(),
    () => Object.keys(inForce?.current.plan.migrations ?? {}).map((name) => [name, gate.evidence(name)]),
  );
  const refused = ({ code }: StranglerError) => metrics.refused.inc({ code });
  const gate = createWriteGate({
    now,
    sleep,
    onHeld: (migration, outcome) => metrics.held.inc({ migration, outcome }),
    onOutdated: () => subscription?.askNow?.(),
  });
  const record = createRecord({ metrics, now });
  const count = countIdentities(metrics.registry);
  const entranceMetrics = exportEntrance(metrics.registry);
  const grpc = openGrpc();
  const told = tellUpstreams(log);
  const listener: UpstreamListener = {
    ...told,
    onHealth(upstream, health) {
      // One that only requests of an older plan still use says nothing of the one that has its name now.
      if (inForce?.current.parts.upstreams.all.get(upstream.name) !== upstream) return;
      metrics.healthy.set({ upstream: upstream.name }, health.healthy ? 1 : 0);
      told.onHealth(upstream, health);
    },
  };
  const lasting: Lasting = {
    grpc,
    admissions,
    gate,
    refused,
    record,
    log,
    newId,
    now,
    sleep,
    upstreams: createKept((opened) => opened.close()),
    openUpstream: (name, each) =>
      openUpstream({
        name,
        plan: each,
        listener,
        now,
        lookup: options.lookup,
        random: options.random,
      }),
    flags: createKept(({ flags }) => flags.stop()),
    forwards: createKept(() => {}),
    flagsKey: ({ flags, folder }) => (options.flags ? 'given' : JSON.stringify([flags, folder])),
    openFlags(each) {
      const flags = options.flags ?? openFlags(each, log);
      flags.onChange(() => record.changed(stateNow()));
      return { flags, ready: flags.start() };
    },
    authenticates: createKept(async (opened) => (await opened.catch(() => undefined))?.stop()),
    watermarks: createKept((following) => following.stop()),
    followWatermarks({ proxy, migrations, sync }) {
      const isFollowed = proxy.readYourWrites.enabled && Object.values(migrations).some(({ data }) => data);
      const source = isFollowed
        ? (options.watermarks ?? httpWatermarkSource(urlOf(sync.admin), sync.adminToken))
        : undefined;
      const following = followWatermarks({ source, log, now, sleep });
      following.start();
      return following;
    },
    ownWrites: createKept(() => {}),
    entranceOf: ({ proxy }) => createEntrance(proxy, { randomHex }),
    accessLogs: createKept((opened) => opened.stop()),
    openAccessLog: (each) => openAccessLog(each, log),
    tracings: createKept(async (opened) => (await opened.catch(() => undefined))?.stop()),
    async openTracing({ proxy: { tracing } }) {
      if (!tracing) return undefined;
      const queue = createSpanQueue(options.spanSink ?? (await openSpanSink(tracing)), (dropped) =>
        entranceMetrics.spansDropped.inc(dropped),
      );
      return createTracing({ queue, service: tracing.service, instance, randomHex, now });
    },
    openAuthenticate: (each, legacy) => createAuthenticate({ plan: each, legacy, count, log, now }),
  };
  const plans = (inForce = createPlanInForce(await compilePlan(plan, lasting, NOTHING_KNOWN)));
  exportUpstreams(metrics.registry, () => plans.current.parts.upstreams.all);
  exportShares(metrics.registry, () => record.migrations());
  const showPlan = () => {
    const { plan: shown, parts, isPlain } = plans.current;
    const { unknown } = isPlain;
    if (unknown.length > 0 && options.express !== false)
      log.info(
        { unknown },
        'the express lane does not know all that the plan says of the proxy, and is not used',
      );
    record.follow(shown, parts.flags, stateNow());
    metrics.healthy.reset();
    for (const [name, { health }] of parts.upstreams.all)
      metrics.healthy.set({ upstream: name }, health().healthy ? 1 : 0);
  };
  showPlan();
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
      [...plans.current.parts.upstreams.all].map(([name, one]) => [name, one.evidence()]),
    ),
    migrations: Object.fromEntries(
      Object.entries(record.migrations()).map(([name, traffic]) => [
        name,
        { ...traffic, writes: gate.evidence(name) },
      ]),
    ),
  });
  const admin = createAdmin({
    address: plan.proxy.admin,
    token: plan.proxy.adminToken,
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
  const adminUrl = await listenOn(admin, plan.proxy.admin, true).catch(async (error: unknown) => {
    await plans.end();
    throw error;
  });

  const subscription: StateSubscription | undefined =
    options.subscription ??
    (plan.control &&
      subscribeToState({
        url: urlOf(plan.control.listen),
        token: plan.control.adminToken,
        subscriber: instance,
        adminPort: Number(new URL(adminUrl).port),
        onContact(contact) {
          setContact(!contact.lost);
          if (contact.lost)
            log.warn(`control plane is out of reach (${contact.reason}): the last state stays in force`);
          else log.info('control plane is back');
        },
      }));
  const following = await followState({
    subscription,
    file: plan.proxy.stateFile === undefined ? undefined : resolve(plan.folder, plan.proxy.stateFile),
    log,
    onState(state, isNews) {
      // Also in plans that only requests from before use: one of them must not be let go by a state that is over.
      for (const { parts } of plans.all()) parts.routing.put(state);
      const held = gate.put(state, drainMsOf(plans.current.plan));
      record.changed(state);
      metrics.stateVersion.set(state.version);
      if (isNews) setContact(true);
      return held;
    },
  });
  function setContact(is: boolean): void {
    inContact = is;
    metrics.inContact.set(is ? 1 : 0);
  }

  const upgraded = new Set<Duplex>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (isStopping) response.shouldKeepAlive = false;
    const entered = plans.enter();
    const done = entered
      .pipeline(request, response)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request broke the pipeline');
        response.destroy();
      })
      .finally(() => {
        plans.leave(entered);
        inFlight.delete(done);
      });
    inFlight.add(done);
  };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    serveUpgrade(plans.current.parts, request, socket, head);
  };

  const release = async () => {
    await reloading?.stop();
    await following.stop();
    await plans.end();
    grpc.stop();
  };
  let listeners: Listeners | undefined;
  try {
    listeners = await createListeners({
      plan,
      onRequest,
      onUpgrade,
      onTlsPair: (pair) => tellTlsPair(pair, log, entranceMetrics, now()),
      onRefused(error, on) {
        refused(error);
        if (on) tagAnswer(on, plans.current.parts.entrance.newRequestId());
      },
      turnAway: (request, answer, error) => refuseAtDoor(plans.current.parts, request, answer, { error }),
      onServer(http) {
        if (options.express !== false)
          lane = createExpressLane(http, {
            plans,
            log,
            limits: plan.proxy.limits,
            onHandOver: () => metrics.handedOver.inc(),
          });
      },
    });
    const urls = { ...(await listeners.listen()), admin: adminUrl };
    const opened = listeners;
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
        gate.stop();
        const served = Promise.race([
          Promise.all([...inFlight, lane?.drain()]),
          delay(DRAIN_MS, undefined, { ref: false }),
        ]);
        await opened.stop(
          served.finally(() => {
            lane?.stop();
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

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
