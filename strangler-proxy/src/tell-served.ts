import type { StranglerError } from '@strangler/contracts';
import { type AccessEntry, accessLine, maskedAddress } from './access-line.js';
import type { AccessLog } from './access-log.js';
import type { Verdict } from './judge.js';
import type { Served } from './record.js';
import { redactTarget } from './redact.js';
import type { Told, Tracing } from './tracing.js';

/** How a request ended. `decidedAt` and `tries` are for its spans: who has none keeps no spans. */
export type Ending = Pick<Served, 'upstream' | 'by' | 'status' | 'failed' | 'serviceFailed'> &
  Pick<AccessEntry, 'bytes'> &
  Pick<Told, 'startedAt' | 'endedAt'> & {
    readonly decidedAt?: number | undefined;
    readonly tries?: Told['tries'] | undefined;
    /** What the proxy answered in place of an upstream, for a fault that is not the upstream's. */
    readonly refusal?: StranglerError | undefined;
  };

/** Writes the line of the access log of a request that is over, and keeps its spans. */
export function tellServed(
  { accessLog, tracing }: { readonly accessLog: AccessLog; readonly tracing: Tracing | undefined },
  verdict: Verdict,
  ending: Ending,
): void {
  const { bytes, startedAt, endedAt, decidedAt, tries, refusal } = ending;
  const { accepted, route, decision, consulted } = verdict;
  const status = refusal?.status ?? ending.status;
  if (accepted.span && decidedAt !== undefined && tries)
    tracing?.served(accepted.span, verdict, { ...ending, status, startedAt, decidedAt, endedAt, tries });
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
      client: consulted.client?.kind,
      address: maskedAddress(accepted.clientAddress, accessLog.address),
      by: ending.failed || refusal ? 'proxy' : ending.by,
      status,
      bytes,
      seconds: (endedAt - startedAt) / 1_000,
      reason: refusal?.code ?? decision.reason,
    }),
  );
}
