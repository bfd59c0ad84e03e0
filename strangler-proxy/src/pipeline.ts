import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type Plan, StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import type { AccessLog } from './access-log.js';
import type { Admission, Entry } from './admission.js';
import { answerHeaders } from './answer-headers.js';
import type { Outcome } from './attempt.js';
import { admitted, type Authenticate, refusalHeaders, showKeys, turnedAway } from './authenticate.js';
import { type ConsultParts, standingOf } from './consult.js';
import { isKept } from './decide.js';
import type { Entrance } from './entrance.js';
import type { Forward } from './forward.js';
import { headOf } from './head-of.js';
import { identify, type Identity, recognise } from './identify.js';
import { limitHead } from './limit-head.js';
import { judge, type Verdict } from './judge.js';
import type { Recorder } from './record.js';
import { refuse, type Refusal } from './refuse.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { tagAnswer } from './request-id.js';
import type { Routing } from './routing.js';
import type { Shadow } from './shadow.js';
import { type Ending, tellServed } from './tell-served.js';
import { tellTester } from './tell-tester.js';
import type { Tracing } from './tracing.js';
import type { Upstreams } from './upstreams.js';

export type PipelineParts = ConsultParts & {
  readonly proxy: Pick<Plan['proxy'], 'limits'>;
  readonly routing: { readonly current: Routing };
  readonly identity: Identity;
  readonly upstreams: Upstreams;
  readonly entrance: Entrance;
  readonly forward: Forward;
  readonly shadow: Shadow;
  readonly record: Recorder;
  readonly admission: Admission;
  /** Counts what the proxy refused itself. */
  readonly refused: (error: StranglerError) => void;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly tracing: Tracing | undefined;
  readonly newId: () => string;
  /** undefined: the plan asks nobody who they are. */
  readonly authenticate?: Authenticate | undefined;
};

/** accept -> judge (match, decide) -> authenticate -> forward -> (shadow ->) compare -> record. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts) {
  const { admission, upstreams, forward, shadow, log, now, authenticate } = parts;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const routing = parts.routing.current;
    const head = headOf(request);
    const received =
      head instanceof StranglerError
        ? head
        : (limitHead(head, parts.proxy.limits) ?? accept(head, routing.paths, parts.entrance));
    if (received instanceof StranglerError)
      return refuseAtDoor(parts, request, response, { error: received, startedAt });
    tagAnswer(response, received.requestId);
    const knocked = admission.knock(received);
    if (knocked) return refuseAtDoor(parts, request, response, { ...knocked, accepted: received, startedAt });
    if (authenticate?.isForKeys(received)) return showKeys(response, authenticate);
    const recognised = authenticate?.recognise(received);
    const accepted = recognised ? await recognised : received;
    const judged = judge(parts, routing, accepted, () => identify(accepted, parts.identity, parts.newId));
    const coming = admission.admit(accepted, judged.route, judged.decision.upstream);
    const entry = coming instanceof Promise ? await coming : coming;
    if ('error' in entry) return refuseEntry(parts, judged, response, entry, startedAt);
    return serve(judged, entry, startedAt, request, response).finally(() => entry.release());
  };

  async function serve(
    judged: Verdict,
    entry: Entry,
    startedAt: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { accepted } = judged;
    const isGuarded = authenticate && judged.decision.side === 'service' && judged.route?.guard;
    const passage = isGuarded ? await authenticate.admit(judged, request) : undefined;
    const verdict = passage?.kind === 'refused' ? turnedAway(judged, passage) : judged;
    const { route, decision, service } = verdict;
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
    if (elsewhere) return refuseEntry(parts, verdict, response, elsewhere, startedAt);
    const onHead = authenticate?.watch(verdict, response);

    const capture = decision.shadow && route ? shadow.reserve(route) : undefined;
    tellIfTester(parts, verdict, response, false);
    const ownHeaders = answerHeaders(accepted, parts.entrance);
    const bodyBytes = admission.bodyBytes(route);
    const attempt = { request, response, accepted, capture, onHead, ownHeaders, bodyBytes };
    const { moved, stayed } = cookiesFor(parts, verdict, passage?.setCookies);
    const trail = accepted.span && parts.tracing?.trail(accepted.span, forward);
    const way = trail ?? forward;
    let upstream = upstreams.get(decision.upstream);
    let outcome = await way.web({
      ...attempt,
      ...(passage?.kind === 'admitted' && { accepted: passage.accepted, body: passage.body }),
      route: decision.side === 'service' ? route : undefined,
      setCookies: moved,
      upstream,
      hold: decision.fallback,
    });
    const fellBack = decision.fallback && couldNotAnswer(outcome) && !response.headersSent;
    const serviceFailed = decision.side === 'service' && (couldNotAnswer(outcome) || isServerError(outcome));
    if (fellBack) {
      upstream = upstreams.get('legacy');
      tellIfTester(parts, verdict, response, true);
      const refusal = entry.moveTo('legacy');
      outcome = refusal
        ? { kind: 'refused', ...refusal }
        : await way.web({ ...attempt, setCookies: stayed, upstream, hold: false });
    }
    if (isOwnWrite(parts, verdict) && outcome.kind !== 'answered') {
      const token = parts.ownWrites.give(accepted, recognise(accepted, parts.identity), false);
      if (!response.headersSent && !response.destroyed) response.appendHeader('Set-Cookie', token);
    }
    if (outcome.kind === 'failed') {
      log.warn(
        { code: outcome.error.code, method: accepted.method, route: route?.text ?? 'other' },
        outcome.error.message,
      );
      refuse(response, outcome.error);
    }

    const refused = outcome.kind === 'refused' ? outcome : undefined;
    if (refused) {
      parts.refused(refused.error);
      refuse(response, refused.error, { headers: refused.headers ?? {}, close: accepted.hasBody });
    }
    recordServed(parts, verdict, {
      upstream: upstream.name,
      by: fellBack ? 'fallback' : decision.side,
      status: response.headersSent && outcome.kind === 'answered' ? outcome.status : null,
      failed: outcome.kind === 'failed',
      serviceFailed,
      bytes: outcome.kind === 'answered' ? (outcome.bytes ?? null) : null,
      startedAt,
      endedAt: now(),
      refusal: refused?.error,
      ...(trail && { decidedAt, tries: trail.tries }),
    });
    if (capture && route)
      shadow.submit(
        capture,
        {
          accepted,
          route,
          control: upstreams.get('legacy'),
          candidate: service,
          forCandidate: authenticate && route.guard && (() => admitted(authenticate, verdict)),
        },
        outcome.kind,
      );
  }
}

/** Tells who was not let in; a body that nobody will read ends the connection. No upstream has seen it, so no evidence counts it. */
function refuseEntry(
  parts: PipelineParts,
  verdict: Verdict,
  response: ServerResponse,
  { error, headers }: Refusal,
  startedAt: number,
): void {
  const { accepted, decision } = verdict;
  parts.refused(error);
  refuse(response, error, { headers, close: accepted.hasBody });
  const endedAt = parts.now();
  tellServed(parts, verdict, {
    upstream: decision.upstream,
    by: decision.side,
    status: error.status,
    failed: false,
    serviceFailed: false,
    bytes: null,
    startedAt,
    endedAt,
    refusal: error,
    ...(accepted.span && { decidedAt: endedAt, tries: [] }),
  });
}

/** The cookies an answer gives: `moved` with one of the service, `stayed` with one of legacy. Whom the service could not answer has not moved. */
export function cookiesFor(
  parts: Pick<PipelineParts, 'pins' | 'workflowSides' | 'ownWrites' | 'identity'>,
  verdict: Verdict,
  fromLegacy: readonly string[] = [],
): { readonly moved: Iterable<string>; readonly stayed: Iterable<string> } {
  const { accepted, route, decision, routing } = verdict;
  const { client, pin, workflow } = verdict.consulted;
  if (isOwnWrite(parts, verdict)) {
    const token = cookieOfWrite(parts, verdict, fromLegacy);
    return { moved: token, stayed: token };
  }
  const known = client?.setCookie === undefined ? fromLegacy : [...fromLegacy, client.setCookie];
  const inside = workflow?.isDue ? [parts.workflowSides.give(accepted, workflow, routing.state)] : [];
  // Whoever is inside stays inside wherever one answer comes from; whoever enters is where that answer came from.
  const stayed = workflow?.why === 'inside' || workflow?.side === 'legacy' ? [...known, ...inside] : known;
  if (decision.side === 'legacy') return { moved: stayed, stayed };
  const moved = [...known, ...inside];
  const { pins } = parts;
  const isMoving = client !== undefined && pin !== null && pin !== 'held';
  if (!isMoving || !route) return { moved, stayed };
  const pinned = pins.give(accepted, route.migration, client, routing.generation(route));
  return { moved: [...moved, pinned], stayed };
}

type WriteParts = Pick<PipelineParts, 'ownWrites' | 'identity'>;

const isOwnWrite = ({ ownWrites }: WriteParts, { accepted, decision, routing }: Verdict): boolean =>
  decision.side === 'legacy' && ownWrites.isWrite(accepted, routing);

/** Made when it is asked for: its time is that of the head of the answer, and the write was committed before. */
const cookieOfWrite = (
  { ownWrites, identity }: WriteParts,
  { accepted }: Verdict,
  others: readonly string[],
): Iterable<string> => ({
  *[Symbol.iterator]() {
    yield* others;
    yield ownWrites.give(accepted, recognise(accepted, identity));
  },
});

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

type RecordParts = Pick<PipelineParts, 'record' | 'flags' | 'accessLog' | 'tracing'>;

/** Counts a request that is over, and tells of it. */
export function recordServed(parts: RecordParts, verdict: Verdict, ending: Ending): void {
  const { route, decision, consulted } = verdict;
  const { client } = consulted;
  const { upstream, by, status, failed, serviceFailed, startedAt, endedAt } = ending;
  parts.record.served({
    upstream,
    by,
    status,
    failed,
    serviceFailed,
    seconds: (endedAt - startedAt) / 1_000,
    route,
    decidedFor: route && client && decision.perClient ? parts.flags.stickTo(route.flag, client) : undefined,
    pinned: isKept(consulted),
  });
  tellServed(parts, verdict, ending);
}

const couldNotAnswer = ({ kind }: Outcome): boolean => kind === 'failed' || kind === 'unavailable';
const isServerError = (outcome: Outcome): boolean => outcome.kind === 'answered' && outcome.status >= 500;
