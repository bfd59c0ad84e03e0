import type { Logger } from 'pino';
import type { Plan, RoutingState, StranglerError, Upstream as UpstreamPlan } from '@strangler/contracts';
import { type Admissions, withoutPlaces } from './admissions.js';
import type { AccessLog } from './access-log.js';
import type { Authenticate } from './authenticate.js';
import type { Entrance } from './entrance.js';
import type { Flags } from './flags.js';
import type { FollowingWatermarks } from './follow-watermarks.js';
import { createForward, type Forward } from './forward.js';
import type { InForce } from './in-force.js';
import type { Kept } from './kept.js';
import type { Grpc } from './open-grpc.js';
import { createOwnWrites, type OwnWrites } from './own-writes.js';
import { createPins } from './pins.js';
import { createIsPlain } from './is-plain.js';
import { createPipeline } from './pipeline.js';
import type { Recorder } from './record.js';
import { refuseUpgrade } from './refuse.js';
import { createRouting } from './routing.js';
import { createServe } from './serve.js';
import { createShadow, type Shadow } from './shadow.js';
import { spareShadows } from './spare-shadows.js';
import type { Tracing } from './tracing.js';
import type { OpenUpstream, Upstream } from './upstreams.js';
import { createWorkflowSides } from './workflow-side.js';
import type { WriteGate } from './write-gate.js';

/** Flags on their way to be ready. */
export type OpenFlags = { readonly flags: Flags; readonly ready: Promise<void> };

/** What outlives every plan. Upstreams and flags that two plans say in the same words are the same ones. */
export type Lasting = {
  readonly upstreams: Kept<OpenUpstream>;
  readonly openUpstream: (name: string, plan: Plan) => OpenUpstream;
  readonly flags: Kept<OpenFlags>;
  /** One for each legacy: http-proxy-middleware leaves a listener on the server for each of its own, for as long as that lives. */
  readonly forwards: Kept<Forward>;
  readonly flagsKey: (plan: Plan) => string;
  readonly openFlags: (plan: Plan) => OpenFlags;
  readonly grpc: Grpc;
  readonly watermarks: Kept<FollowingWatermarks>;
  readonly followWatermarks: (plan: Plan) => FollowingWatermarks;
  /** Kept, because it remembers writes of clients that keep no cookies. */
  readonly ownWrites: Kept<OwnWrites>;
  readonly entranceOf: (plan: Plan) => Entrance;
  readonly accessLogs: Kept<AccessLog>;
  readonly openAccessLog: (plan: Plan) => AccessLog;
  readonly tracings: Kept<Promise<Tracing | undefined>>;
  readonly openTracing: (plan: Plan) => Promise<Tracing | undefined>;
  readonly authenticates: Kept<Promise<Authenticate | undefined>>;
  readonly openAuthenticate: (plan: Plan, legacy: Upstream) => Promise<Authenticate | undefined>;
  readonly admissions: Admissions;
  /** Who waits there outlives its plan. */
  readonly gate: WriteGate;
  readonly refused: (error: StranglerError) => void;
  readonly record: Recorder;
  readonly log: Logger;
  readonly newId: () => string;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/**
 * A plan with everything it needs, opened and ready, and nothing sent through it yet. Whatever a part takes from the plan is taken
 * here, so that a request has all of one plan. Rejects when its flags cannot be started; then nothing stays open.
 */
export async function compilePlan(plan: Plan, lasting: Lasting, state: RoutingState): Promise<InForce> {
  const { record, refused, log, newId, now, sleep } = lasting;
  const names = Object.keys(plan.upstreams);
  const upstreamKey = (name: string) =>
    JSON.stringify([
      name,
      withoutPlaces(plan.upstreams[name] as UpstreamPlan),
      plan.proxy.shadow.concurrency,
    ]);
  const flagsKey = lasting.flagsKey(plan);

  const all = new Map(
    names.map((name) => [
      name,
      lasting.upstreams.take(upstreamKey(name), () => lasting.openUpstream(name, plan)).upstream,
    ]),
  );
  const upstreams = { all, get: (name: string) => all.get(name) as OpenUpstream['upstream'] };
  const { flags, ready } = lasting.flags.take(flagsKey, () => lasting.openFlags(plan));
  const forward = lasting.forwards.take(upstreamKey('legacy'), () =>
    createForward(upstreams.get('legacy'), refuseUpgrade, lasting.grpc),
  );
  const { auth, sessionBridge, identity } = plan.proxy;
  const authenticateKey = JSON.stringify([upstreamKey('legacy'), auth, sessionBridge, identity, plan.folder]);
  const opened = lasting.authenticates.take(authenticateKey, () =>
    lasting.openAuthenticate(plan, upstreams.get('legacy')),
  );
  const copied = Object.keys(plan.migrations).filter((name) => plan.migrations[name]?.data !== undefined);
  const { readYourWrites, secret } = plan.proxy;
  const watermarksKey = JSON.stringify([
    readYourWrites.enabled && copied.length > 0,
    plan.sync.admin,
    plan.sync.adminToken ?? null,
  ]);
  const watermarks = lasting.watermarks.take(watermarksKey, () => lasting.followWatermarks(plan));
  const ownWritesKey = JSON.stringify([watermarksKey, copied, readYourWrites, secret ?? null]);
  const ownWrites = lasting.ownWrites.take(ownWritesKey, () =>
    createOwnWrites({ plan, watermarks: watermarks.current, now }),
  );
  const { accessLog: logPlan, tracing: tracingPlan } = plan.proxy;
  const accessLogKey = JSON.stringify([logPlan, plan.folder]);
  const accessLog = lasting.accessLogs.take(accessLogKey, () => lasting.openAccessLog(plan));
  const tracingKey = JSON.stringify(tracingPlan ?? null);
  const openedTracing = lasting.tracings.take(tracingKey, () => lasting.openTracing(plan));

  const admitting = lasting.admissions.open(plan);
  const { admission } = admitting;

  let shadow: Shadow | undefined;
  let ended: Promise<void> | undefined;
  const endAll = async () => {
    await shadow?.stop();
    await lasting.flags.letGo(flagsKey);
    await lasting.authenticates.letGo(authenticateKey);
    await lasting.ownWrites.letGo(ownWritesKey);
    await lasting.watermarks.letGo(watermarksKey);
    await lasting.accessLogs.letGo(accessLogKey);
    await lasting.tracings.letGo(tracingKey);
    await admitting.letGo();
    await lasting.forwards.letGo(upstreamKey('legacy'));
    await Promise.all(names.map((name) => lasting.upstreams.letGo(upstreamKey(name))));
  };
  const end = () => (ended ??= endAll());
  let authenticate: Authenticate | undefined;
  let tracing: Tracing | undefined;
  try {
    [authenticate, tracing] = await Promise.all([opened, openedTracing, ready, lasting.grpc.prepare(plan)]);
  } catch (error) {
    await end();
    throw error;
  }
  const entrance = lasting.entranceOf(plan);
  const comparisons = record.comparisons(plan);
  const comparing = spareShadows(
    createShadow({ limits: plan.proxy.shadow, record: comparisons, sleep, tracing, grpc: lasting.grpc }),
    admission,
    comparisons,
  );
  shadow = comparing;
  const parts = {
    proxy: plan.proxy,
    pins: createPins(plan),
    ownWrites,
    workflowSides: createWorkflowSides(plan, now),
    routing: createRouting(plan, state),
    identity: plan.proxy,
    flags,
    upstreams,
    forward,
    shadow: comparing,
    record,
    admission,
    gate: lasting.gate,
    refused,
    log,
    newId,
    now,
    authenticate,
    entrance,
    accessLog,
    tracing,
  };
  const serve = createServe(parts);
  return {
    plan,
    parts,
    pipeline: createPipeline(parts, serve),
    serve,
    isPlain: createIsPlain(plan),
    async finish() {
      await comparing.drain();
      await end();
    },
    end,
  };
}
