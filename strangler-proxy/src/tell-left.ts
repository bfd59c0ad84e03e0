import type { Verdict } from './judge.js';
import type { PipelineParts } from './pipeline.js';
import { tellServed } from './tell-served.js';

/** Tells of a write whose client hung up while it was held. No upstream has seen it, so no evidence counts it. */
export function tellLeft(
  parts: Pick<PipelineParts, 'now' | 'accessLog' | 'tracing'>,
  verdict: Verdict,
  startedAt: number,
): void {
  const endedAt = parts.now();
  tellServed(parts, verdict, {
    upstream: verdict.decision.upstream,
    by: verdict.decision.side,
    status: null,
    failed: false,
    serviceFailed: false,
    bytes: null,
    startedAt,
    endedAt,
    ...(verdict.accepted.span && { decidedAt: endedAt, tries: [] }),
  });
}
