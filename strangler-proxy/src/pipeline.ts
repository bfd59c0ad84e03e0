import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { StranglerError } from '@strangler/contracts';
import { accept, type RequestHead } from './accept.js';
import type { Outcome } from './attempt.js';
import { type Decision, decide, isPerClient } from './decide.js';
import type { Flags } from './flags.js';
import type { Forward } from './forward.js';
import { type Client, identify, type Identity } from './identify.js';
import { match, type Route } from './match.js';
import type { Recorder } from './record.js';
import { redactTarget } from './redact.js';
import { refuse } from './refuse.js';
import type { Routing } from './routing.js';
import type { Shadow } from './shadow.js';
import type { Upstreams } from './upstreams.js';

export type PipelineParts = {
  readonly routing: { readonly current: Routing };
  readonly identity: Identity;
  readonly flags: Flags;
  readonly upstreams: Upstreams;
  readonly forward: Forward;
  readonly shadow: Shadow;
  readonly record: Recorder;
  readonly log: Logger;
  readonly newId: () => string;
  readonly now: () => number;
};

/** accept -> match -> decide -> forward -> (shadow ->) compare -> record. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts) {
  const { flags, upstreams, forward, shadow, record, log, now } = parts;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const routing = parts.routing.current;
    const accepted = accept(headOf(request), routing.paths);
    if (accepted instanceof StranglerError) return refuse(response, accepted, { close: true });

    const { method, path, hasBody } = accepted;
    const { route } = match(routing.routes, method, path, accepted);
    const phase = routing.phase(route);
    const client =
      route && isPerClient(phase, method, hasBody)
        ? identify(accepted, parts.identity, parts.newId)
        : undefined;
    const flagOn = route !== undefined && client !== undefined && flags.isOn(route.flag, client);
    const service = upstreams.get(route?.upstream ?? 'legacy');
    const decision = decide({ method, path, hasBody, route, phase, flagOn, service: service.health() });

    const capture = decision.shadow && route ? shadow.reserve(route) : undefined;
    const { fallback: hold } = decision;
    const attempt = { request, response, accepted, setCookie: client?.setCookie, capture };
    let upstream = upstreams.get(decision.upstream);
    let outcome = await forward.web({ ...attempt, upstream, hold });
    const fellBack = hold && couldNotAnswer(outcome) && !response.headersSent;
    const serviceFailed = decision.side === 'service' && (couldNotAnswer(outcome) || isServerError(outcome));
    if (fellBack) {
      upstream = upstreams.get('legacy');
      outcome = await forward.web({ ...attempt, upstream, hold: false });
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
      decidedFor: client?.id,
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
