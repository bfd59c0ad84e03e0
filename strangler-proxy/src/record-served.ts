import { type AccessEntry, accessLine, maskedAddress } from './access-line.js';
import { isKept } from './decide.js';
import type { Verdict } from './judge.js';
import type { PipelineParts } from './pipeline.js';
import type { Served } from './record.js';
import { redactTarget } from './redact.js';
import type { Told } from './tracing.js';

/** How a request ended. `decidedAt` and `tries` are for its spans: who has none keeps no spans. */
export type Ending = Pick<Served, 'upstream' | 'by' | 'status' | 'failed' | 'serviceFailed'> &
  Pick<AccessEntry, 'bytes'> &
  Pick<Told, 'startedAt' | 'endedAt'> & {
    readonly decidedAt?: number | undefined;
    readonly tries?: Told['tries'] | undefined;
  };

/** Counts a request that is over, writes its line of the access log and keeps its spans. */
export function recordServed(
  { record, flags, accessLog, tracing }: Pick<PipelineParts, 'record' | 'flags' | 'accessLog' | 'tracing'>,
  verdict: Verdict,
  { bytes, startedAt, endedAt, decidedAt, tries, ...ending }: Ending,
): void {
  const { accepted, route, decision, consulted } = verdict;
  const { client } = consulted;
  const seconds = (endedAt - startedAt) / 1_000;
  record.served({
    ...ending,
    seconds,
    route,
    decidedFor: route && client && decision.perClient ? flags.stickTo(route.flag, client) : undefined,
    pinned: isKept(consulted),
  });
  if (accepted.span && decidedAt !== undefined && tries)
    tracing?.served(accepted.span, verdict, { ...ending, startedAt, decidedAt, endedAt, tries });
  if (!accessLog.isOn()) return;
  accessLog.write(
    accessLine({
      level: accessLog.level,
      time: Math.round(endedAt),
      requestId: accepted.requestId,
      traceId: accepted.traceId,
      method: accepted.method,
      target: redactTarget(accepted.target),
      route: route?.text ?? 'other',
      upstream: decision.upstream,
      shadow: decision.shadow,
      client: client?.kind,
      address: maskedAddress(accepted.clientAddress, accessLog.address),
      by: ending.failed ? 'proxy' : ending.by,
      status: ending.status,
      bytes,
      seconds,
      reason: decision.reason,
    }),
  );
}
