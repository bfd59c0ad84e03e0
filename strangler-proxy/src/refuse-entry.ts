import type { Verdict } from './judge.js';
import type { PipelineParts } from './pipeline.js';
import type { Refusal } from './refuse.js';
import type { Exchange } from './serve.js';
import { tellServed } from './tell-served.js';

/** Tells who was not let in; a body that nobody will read ends the connection. No upstream has seen it, so no evidence counts it. */
export function refuseEntry(
  parts: Pick<PipelineParts, 'refused' | 'now' | 'accessLog' | 'tracing'>,
  verdict: Verdict,
  { error, headers }: Refusal,
  startedAt: number,
  refuse: Exchange['refuse'],
): void {
  const { accepted, decision } = verdict;
  parts.refused(error);
  refuse(error, { headers, close: accepted.hasBody });
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
