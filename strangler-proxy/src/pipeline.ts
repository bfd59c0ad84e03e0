import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type Plan, StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import type { AccessLog } from './access-log.js';
import type { Admission, Entry } from './admission.js';
import type { Sending } from './attempt.js';
import { type Authenticate, refusalHeaders, showKeys, turnedAway } from './authenticate.js';
import { type ConsultParts, standingOf } from './consult.js';
import type { Entrance } from './entrance.js';
import type { Forward } from './forward.js';
import { headOf } from './head-of.js';
import { holdWrite } from './hold-write.js';
import { identify, type Identity, recognise } from './identify.js';
import { limitHead } from './limit-head.js';
import { judge, type Verdict } from './judge.js';
import type { Recorder } from './record.js';
import { recordServed } from './record-served.js';
import { refuse } from './refuse.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { refuseEntry } from './refuse-entry.js';
import { tagAnswer } from './request-id.js';
import type { Routing } from './routing.js';
import type { Exchange, Serve } from './serve.js';
import type { Shadow } from './shadow.js';
import { tellLeft } from './tell-left.js';
import { tellTester } from './tell-tester.js';
import type { Tracing } from './tracing.js';
import type { Upstreams } from './upstreams.js';
import type { WriteGate } from './write-gate.js';
import type { Write } from './writes.js';

export type PipelineParts = ConsultParts & {
  readonly proxy: Pick<Plan['proxy'], 'limits' | 'hold'>;
  readonly routing: { readonly current: Routing };
  readonly identity: Identity;
  readonly upstreams: Upstreams;
  readonly entrance: Entrance;
  readonly forward: Forward;
  readonly shadow: Shadow;
  readonly record: Recorder;
  readonly admission: Admission;
  readonly gate: WriteGate;
  /** Counts what the proxy refused itself. */
  readonly refused: (error: StranglerError) => void;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly tracing: Tracing | undefined;
  readonly newId: () => string;
  /** undefined: the plan asks nobody who they are. */
  readonly authenticate?: Authenticate | undefined;
};

/** accept -> judge (match, decide) -> admit -> authenticate -> serve, over node:http. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts, serve: Serve) {
  const { admission, forward, now, authenticate } = parts;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const head = headOf(request);
    const received =
      head instanceof StranglerError
        ? head
        : (limitHead(head, parts.proxy.limits) ?? accept(head, parts.routing.current.paths, parts.entrance));
    if (received instanceof StranglerError)
      return refuseAtDoor(parts, request, response, { error: received, startedAt });
    tagAnswer(response, received.requestId);
    const knocked = admission.knock(received);
    if (knocked) return refuseAtDoor(parts, request, response, { ...knocked, accepted: received, startedAt });
    if (authenticate?.isForKeys(received)) return showKeys(response, authenticate);
    const recognised = authenticate?.recognise(received);
    const accepted = recognised ? await recognised : received;
    // The routing is read only now: a state may have come meanwhile, and a write must not be judged by the one before.
    const judgeNow = () =>
      judge(parts, parts.routing.current, accepted, () => identify(accepted, parts.identity, parts.newId));
    let judged = judgeNow();
    const { route } = judged;
    let patienceMs: number | undefined;
    if (judged.isHeld && route) {
      const kept =
        admission.allow(accepted, route) ??
        (await holdWrite(parts, route.migration, accepted, response, judgeNow));
      if (kept === 'left') return tellLeft(parts, judged, startedAt);
      if ('error' in kept) return refuseEntry(parts, judged, kept, startedAt, refuseOn(response));
      ({ judged, patienceMs } = kept);
    }
    const { upstream, side } = judged.decision;
    const write = judged.isWrite && route ? parts.gate.pass(route, side) : undefined;
    const coming =
      patienceMs === undefined
        ? admission.admit(accepted, route, upstream)
        : admission.enter(upstream, patienceMs);
    const entry = coming instanceof Promise ? await coming : coming;
    if ('error' in entry) {
      write?.over();
      return refuseEntry(parts, judged, entry, startedAt, refuseOn(response));
    }
    return serveByNode(judged, { startedAt, entry, write }, request, response).finally(() => {
      entry.release();
      write?.over();
    });
  };

  async function serveByNode(
    judged: Verdict,
    { startedAt, entry, write }: { startedAt: number; entry: Entry; write: Write | undefined },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { accepted } = judged;
    const isGuarded = authenticate && judged.decision.side === 'service' && judged.route?.guard;
    const passage = isGuarded ? await authenticate.admit(judged, request) : undefined;
    const verdict = passage?.kind === 'refused' ? turnedAway(judged, passage) : judged;
    const { decision } = verdict;
    const decidedAt = accepted.span && now();
    if (passage?.kind === 'refused' && decision.side === 'service') {
      refuse(response, passage.error, { headers: refusalHeaders(passage) });
      const { status } = passage.error;
      return recordServed(parts, verdict, {
        upstream: decision.upstream,
        by: decision.side,
        status,
        failed: status >= 500,
        serviceFailed: false,
        bytes: null,
        startedAt,
        endedAt: now(),
        ...(decidedAt !== undefined && { decidedAt, tries: [] }),
      });
    }
    const elsewhere = verdict === judged ? undefined : entry.moveTo(decision.upstream);
    if (elsewhere) return refuseEntry(parts, verdict, elsewhere, startedAt, refuseOn(response));
    const onHead = authenticate?.watch(verdict, response);
    const trail = accepted.span && parts.tracing?.trail(accepted.span, forward);
    const way = trail ?? forward;
    const brought = {
      startedAt,
      entry,
      write,
      setCookies: passage?.setCookies,
      decidedAt,
      tries: trail?.tries,
    };
    const serving = serve(verdict, brought, {
      begun: () => response.headersSent,
      tell: (of, fellBack) => tellIfTester(parts, of, response, fellBack),
      refuse: refuseOn(response),
    });
    for (let sending: Sending | undefined = serving.first; sending;) {
      // The service gets the request as it was admitted; legacy, falling back, as it came.
      const as = sending.route && passage?.kind === 'admitted' ? passage : { accepted, body: undefined };
      const attempt = { ...sending, request, response, accepted: as.accepted, body: as.body, onHead };
      sending = serving.next(await way.web(attempt));
    }
  }
}

const refuseOn =
  (response: ServerResponse): Exchange['refuse'] =>
  (error, { headers = {}, close = false } = {}) =>
    refuse(response, error, { headers, close });

function tellIfTester(
  parts: PipelineParts,
  { accepted, route, consulted: { tester }, decision, phase, routing }: Verdict,
  response: ServerResponse,
  fellBack: boolean,
): void {
  if (!route || !tester) return;
  const standing = standingOf(parts, routing, accepted, route, recognise(accepted, parts.identity));
  tellTester(response, { ...standing, route, decision, tester: tester.name, phase, fellBack });
}
