import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { StranglerError } from '@strangler/contracts';
import { accept, type RequestHead } from './accept.js';
import type { Outcome } from './attempt.js';
import { consult, type ConsultParts, standingOf } from './consult.js';
import { type Decision, decide, isKept } from './decide.js';
import type { Forward } from './forward.js';
import { type Client, identify, type Identity, recognise } from './identify.js';
import { match, type Route } from './match.js';
import type { Recorder } from './record.js';
import { redactTarget } from './redact.js';
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
  readonly newId: () => string;
};

/** accept -> match -> decide -> forward -> (shadow ->) compare -> record. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts) {
  const { flags, pins, upstreams, forward, shadow, record, log, now } = parts;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const routing = parts.routing.current;
    const accepted = accept(headOf(request), routing.paths);
    if (accepted instanceof StranglerError) return refuse(response, accepted, { close: true });

    const { method, path, hasBody } = accepted;
    const { route } = match(routing.routes, method, path, accepted);
    const phase = routing.phase(route);
    const consulted = consult(parts, routing, accepted, route, () =>
      identify(accepted, parts.identity, parts.newId),
    );
    const { client, pin } = consulted;
    const service = upstreams.get(route?.upstream ?? 'legacy');
    const decision = decide({ method, path, hasBody, route, phase, service: service.health(), ...consulted });

    const capture = decision.shadow && route ? shadow.reserve(route) : undefined;
    const { fallback: hold } = decision;
    const setCookies = client?.setCookie === undefined ? [] : [client.setCookie];
    // With an answer of the service only: whom it could not answer has not moved.
    const isMoving = decision.side === 'service' && client !== undefined && pin !== null && pin !== 'held';
    const pinned =
      isMoving && route
        ? [...setCookies, pins.give(accepted, route.migration, client, routing.generation(route))]
        : setCookies;
    const tell = (fellBack: boolean): void => {
      if (!route || !consulted.tester) return;
      const standing = standingOf(parts, routing, accepted, route, recognise(accepted, parts.identity));
      tellTester(response, { ...standing, route, decision, tester: consulted.tester.name, phase, fellBack });
    };
    tell(false);
    const attempt = { request, response, accepted, capture };
    let upstream = upstreams.get(decision.upstream);
    let outcome = await forward.web({ ...attempt, setCookies: pinned, upstream, hold });
    const fellBack = hold && couldNotAnswer(outcome) && !response.headersSent;
    const serviceFailed = decision.side === 'service' && (couldNotAnswer(outcome) || isServerError(outcome));
    if (fellBack) {
      upstream = upstreams.get('legacy');
      tell(true);
      outcome = await forward.web({ ...attempt, setCookies, upstream, hold: false });
    }
    if (outcome.kind === 'failed') {
      log.warn({ code: outcome.error.code, method, route: route?.text ?? 'other' }, outcome.error.message);
      refuse(response, outcome.error);
    }

    const by = fellBack ? 'fallback' : decision.side;
    const status = response.headersSent && outcome.kind === 'answered' ? outcome.status : null;
    const seconds = (now() - startedAt) / 1_000;
    const failed = outcome.kind === 'failed';
    record.served({
      route,
      upstream: upstream.name,
      by,
      status,
      serviceFailed,
      failed,
      decidedFor: route && client && flags.stickTo(route.flag, client),
      pinned: isKept(consulted),
      seconds,
    });
    if (log.isLevelEnabled('debug'))
      log.debug(
        accessLine(method, redactTarget(accepted.target), route, decision, client, by, status, seconds),
        decision.reason,
      );
    if (capture && route)
      shadow.submit(
        capture,
        { accepted, route, control: upstreams.get('legacy'), candidate: service },
        outcome.kind,
      );
  };
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

const accessLine = (
  method: string,
  target: string,
  route: Route | undefined,
  { upstream, shadow }: Decision,
  client: Client | undefined,
  by: string,
  status: number | null,
  seconds: number,
) => ({
  method,
  target,
  route: route?.text ?? 'other',
  upstream,
  shadow,
  client: client?.kind,
  by,
  status,
  seconds,
});
