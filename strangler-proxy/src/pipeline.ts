import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { StranglerError } from '@strangler/contracts';
import { accept, type RequestHead } from './accept.js';
import type { AccessLog } from './access-log.js';
import type { Outcome } from './attempt.js';
import { type ConsultParts, standingOf } from './consult.js';
import { isKept } from './decide.js';
import type { Exchange } from './exchange.js';
import type { Forward } from './forward.js';
import { identify, type Identity, recognise } from './identify.js';
import { judge, type Verdict } from './judge.js';
import type { Recorder, Served } from './record.js';
import { refuse } from './refuse.js';
import type { Routing } from './routing.js';
import type { Shadow } from './shadow.js';
import { tellTester } from './tell-tester.js';
import type { Upstreams } from './upstreams.js';

export type PipelineParts = ConsultParts & {
  readonly routing: { readonly current: Routing };
  readonly identity: Identity;
  readonly upstreams: Upstreams;
  readonly forward: Forward;
  readonly shadow: Shadow;
  readonly record: Recorder;
  readonly log: Logger;
  readonly access: AccessLog;
  readonly newId: () => string;
};

/** accept -> judge (match, decide) -> serve, over node:http. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts) {
  const { forward, now } = parts;
  const serve = createServe(parts);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const routing = parts.routing.current;
    const accepted = accept(headOf(request), routing.paths);
    if (accepted instanceof StranglerError) return refuse(response, accepted, { close: true });
    const verdict = judge(parts, routing, accepted, () => identify(accepted, parts.identity, parts.newId));
    return serve(verdict, startedAt, {
      begun: () => response.headersSent,
      forward: (sending) => forward.web({ ...sending, request, response, accepted }),
      tell: (of, fellBack) => tellIfTester(parts, of, response, fellBack),
      refuse: (error) => refuse(response, error),
    });
  };
}

/** forward -> (shadow ->) compare -> record: what becomes of a request that has been judged, whichever lane carries it. */
export function createServe(parts: Omit<PipelineParts, 'forward'>) {
  const { upstreams, shadow, log, now } = parts;
  return async (verdict: Verdict, startedAt: number, exchange: Exchange): Promise<void> => {
    const { accepted, route, decision, service } = verdict;
    const capture = decision.shadow && route ? shadow.reserve(route) : undefined;
    exchange.tell(verdict, false);
    const { moved, stayed } = cookiesFor(parts, verdict);
    let upstream = upstreams.get(decision.upstream);
    let outcome = await exchange.forward({ capture, setCookies: moved, upstream, hold: decision.fallback });
    const fellBack = decision.fallback && couldNotAnswer(outcome) && !exchange.begun();
    const serviceFailed = decision.side === 'service' && (couldNotAnswer(outcome) || isServerError(outcome));
    if (fellBack) {
      upstream = upstreams.get('legacy');
      exchange.tell(verdict, true);
      outcome = await exchange.forward({ capture, setCookies: stayed, upstream, hold: false });
    }
    if (outcome.kind === 'failed') {
      log.warn(
        { code: outcome.error.code, method: accepted.method, route: route?.text ?? 'other' },
        outcome.error.message,
      );
      exchange.refuse(outcome.error);
    }

    recordServed(parts, verdict, {
      upstream: upstream.name,
      by: fellBack ? 'fallback' : decision.side,
      status: exchange.begun() && outcome.kind === 'answered' ? outcome.status : null,
      failed: outcome.kind === 'failed',
      serviceFailed,
      seconds: (now() - startedAt) / 1_000,
    });
    if (capture && route)
      shadow.submit(
        capture,
        { accepted, route, control: upstreams.get('legacy'), candidate: service },
        outcome.kind,
      );
  };
}

/** The cookies an answer gives: `moved` with one of the service, `stayed` with one of legacy. Whom the service could not answer has not moved. */
export function cookiesFor({ pins }: Pick<PipelineParts, 'pins'>, verdict: Verdict) {
  const { accepted, route, decision, routing } = verdict;
  const { client, pin } = verdict.consulted;
  const stayed = client?.setCookie === undefined ? [] : [client.setCookie];
  const isMoving = decision.side === 'service' && client !== undefined && pin !== null && pin !== 'held';
  if (!isMoving || !route) return { moved: stayed, stayed };
  const pinned = pins.give(accepted, route.migration, client, routing.generation(route));
  return { moved: [...stayed, pinned], stayed };
}

function tellIfTester(
  parts: Pick<PipelineParts, 'flags' | 'pins' | 'identity'>,
  { accepted, route, consulted: { tester }, decision, phase, routing }: Verdict,
  response: ServerResponse,
  fellBack: boolean,
): void {
  if (!route || !tester) return;
  const standing = standingOf(parts, routing, accepted, route, recognise(accepted, parts.identity));
  tellTester(response, { ...standing, route, decision, tester: tester.name, phase, fellBack });
}

type Ending = Pick<Served, 'upstream' | 'by' | 'status' | 'failed' | 'serviceFailed' | 'seconds'>;

/** Counts a request that is over, and writes its line of the access log. */
export function recordServed(
  { record, flags, access }: Pick<PipelineParts, 'record' | 'flags' | 'access'>,
  { accepted, route, decision, consulted }: Verdict,
  ending: Ending,
): void {
  const { client } = consulted;
  record.served({
    ...ending,
    route,
    decidedFor: route && client && flags.stickTo(route.flag, client),
    pinned: isKept(consulted),
  });
  if (!access.isOn()) return;
  const { by, status, seconds } = ending;
  access.write(
    {
      method: accepted.method,
      target: accepted.target,
      route: route?.text ?? 'other',
      upstream: decision.upstream,
      shadow: decision.shadow,
      client: client?.kind,
      by,
      status,
      seconds,
    },
    decision.reason,
  );
}

export const headOf = (request: IncomingMessage): RequestHead => ({
  method: request.method as string,
  url: request.url as string,
  rawHeaders: request.rawHeaders,
  remoteAddress: request.socket.remoteAddress ?? '',
  encrypted: (request.socket as TLSSocket).encrypted ?? false,
});

const couldNotAnswer = ({ kind }: Outcome): boolean => kind === 'failed' || kind === 'unavailable';
const isServerError = (outcome: Outcome): boolean => outcome.kind === 'answered' && outcome.status >= 500;
