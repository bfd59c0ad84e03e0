import type { Phase } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { consult, type Consulted, type ConsultParts } from './consult.js';
import { type Decision, decide, isRead } from './decide.js';
import type { Client } from './identify.js';
import { match, type Route } from './match.js';
import type { Routing } from './routing.js';
import type { Upstream, Upstreams } from './upstreams.js';

/** All that is settled about a request before a byte of it goes on. */
export type Verdict = {
  readonly routing: Routing;
  readonly accepted: Accepted;
  readonly route: Route | undefined;
  readonly phase: Phase;
  readonly consulted: Consulted;
  readonly decision: Decision;
  /** The route's upstream, whether or not it is the one that is asked. */
  readonly service: Upstream;
  /** It may write what its migration owns: whatever is no plain read. */
  readonly isWrite: boolean;
  /** A write while writes change sides: nothing of it may go anywhere. */
  readonly isHeld: boolean;
};

/** Says with each write to a service by which epoch it was sent there; a client cannot say it. */
export const EPOCH_HEADER = 'X-Strangler-Epoch';

export type JudgeParts = ConsultParts & { readonly upstreams: Pick<Upstreams, 'get'> };

/** match -> decide, for traffic and for questions alike. Nothing is counted, sent or kept, so it can be asked at any time. */
export function judge(
  parts: JudgeParts,
  routing: Routing,
  accepted: Accepted,
  identify: () => Client | undefined,
): Verdict {
  const { method, path, hasBody } = accepted;
  const { route } = match(routing.routes, method, path, accepted);
  const phase = routing.phase(route);
  const consulted = consult(parts, routing, accepted, route, identify);
  const service = parts.upstreams.get(route?.upstream ?? 'legacy');
  const decision = decide({ method, path, hasBody, route, phase, service: service.health(), ...consulted });
  const isWrite = route !== undefined && !isRead(method, hasBody);
  return {
    routing,
    accepted:
      isWrite && decision.side === 'service'
        ? { ...accepted, headers: [...accepted.headers, EPOCH_HEADER, String(routing.epoch(route))] }
        : accepted,
    route,
    phase,
    consulted,
    decision,
    service,
    isWrite,
    isHeld: isWrite && routing.isHeld(route),
  };
}
