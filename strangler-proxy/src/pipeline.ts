import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import type { AccessLog } from './access-log.js';
import { type Authenticate, refusalHeaders, showKeys, turnedAway } from './authenticate.js';
import { type ConsultParts, standingOf } from './consult.js';
import type { Entrance } from './entrance.js';
import type { Forward } from './forward.js';
import { headOf } from './head-of.js';
import { identify, type Identity, recognise } from './identify.js';
import { judge, type Verdict } from './judge.js';
import type { Recorder } from './record.js';
import { recordServed } from './record-served.js';
import { refuse } from './refuse.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { tagAnswer } from './request-id.js';
import type { Routing } from './routing.js';
import type { Serve } from './serve.js';
import type { Shadow } from './shadow.js';
import { tellTester } from './tell-tester.js';
import type { Tracing } from './tracing.js';
import type { Upstreams } from './upstreams.js';

export type PipelineParts = ConsultParts & {
  readonly routing: { readonly current: Routing };
  readonly identity: Identity;
  readonly upstreams: Upstreams;
  readonly entrance: Entrance;
  readonly forward: Forward;
  readonly shadow: Shadow;
  readonly record: Recorder;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly tracing: Tracing | undefined;
  readonly newId: () => string;
  /** undefined: the plan asks nobody who they are. */
  readonly authenticate?: Authenticate | undefined;
};

/** accept -> judge (match, decide) -> authenticate -> serve, over node:http. Resolves when the client has been served. */
export function createPipeline(parts: PipelineParts, serve: Serve) {
  const { forward, now, authenticate } = parts;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = now();
    const routing = parts.routing.current;
    const head = headOf(request);
    const received = head instanceof StranglerError ? head : accept(head, routing.paths, parts.entrance);
    if (received instanceof StranglerError)
      return refuseAtDoor(parts, request, response, received, startedAt);
    tagAnswer(response, received.requestId);
    if (authenticate?.isForKeys(received)) return showKeys(response, authenticate);
    const recognised = authenticate?.recognise(received);
    const accepted = recognised ? await recognised : received;
    const judged = judge(parts, routing, accepted, () => identify(accepted, parts.identity, parts.newId));
    const isGuarded = authenticate && judged.decision.side === 'service' && judged.route?.guard;
    const admission = isGuarded ? await authenticate.admit(judged, request) : undefined;
    const verdict = admission?.kind === 'refused' ? turnedAway(judged, admission) : judged;
    const { decision } = verdict;
    const decidedAt = accepted.span && now();
    if (admission?.kind === 'refused' && decision.side === 'service') {
      refuse(response, admission.error, { headers: refusalHeaders(admission) });
      const { status } = admission.error;
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
    const onHead = authenticate?.watch(verdict, response);
    const trail = accepted.span && parts.tracing?.trail(accepted.span, forward);
    const way = trail ?? forward;
    const brought = { startedAt, setCookies: admission?.setCookies, decidedAt, tries: trail?.tries };
    return serve(verdict, brought, {
      begun: () => response.headersSent,
      forward(sending) {
        // The service gets the request as it was admitted; legacy, falling back, as it came.
        const as =
          sending.route && admission?.kind === 'admitted' ? admission : { accepted, body: undefined };
        return way.web({ ...sending, request, response, accepted: as.accepted, body: as.body, onHead });
      },
      tell: (of, fellBack) => tellIfTester(parts, of, response, fellBack),
      refuse: (error, headers) => refuse(response, error, headers && { headers }),
    });
  };
}

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
