import { isKept } from './decide.js';
import type { Verdict } from './judge.js';
import type { PipelineParts } from './pipeline.js';
import { type Ending, tellServed } from './tell-served.js';

/** Counts a request that is over, writes its line of the access log and keeps its spans. */
export function recordServed(
  parts: Pick<PipelineParts, 'record' | 'flags' | 'accessLog' | 'tracing'>,
  verdict: Verdict,
  ending: Ending,
): void {
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
