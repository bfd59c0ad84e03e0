import type { ServerResponse } from 'node:http';
import type { PinState } from '@strangler/contracts';
import type { Decision } from './decide.js';
import type { Route } from './match.js';
import type { WriteState } from './write-token.js';

export const EXPLAIN_HEADER = 'X-Strangler-Explain';
const LONGEST = 200;

/** What decided over a request, as the header of a tester's answer tells it. */
export type Told = {
  readonly route: Route;
  readonly decision: Decision;
  readonly bucket: number | null;
  readonly pin: PinState | null;
  readonly ownWrite: WriteState | null;
  readonly tester: string;
  readonly phase: string;
  /** Legacy answered in place of the service. */
  readonly fellBack: boolean;
};

// Reasons quote upstreams, and routes the plan: nothing of that may end the value, or the header.
const plain = (text: string): string => text.replaceAll(/[^\x20-\x3a\x3c-\x7e]/g, '?').slice(0, LONGEST);

export const explainText = ({
  route,
  decision,
  bucket,
  pin,
  ownWrite,
  tester,
  phase,
  fellBack,
}: Told): string =>
  Object.entries({
    rule: route.text,
    flag: route.flag,
    bucket: bucket === null ? 'none' : String(bucket),
    pin: pin ?? 'none',
    write: ownWrite ?? 'none',
    tester,
    phase,
    upstream: fellBack ? 'legacy' : decision.upstream,
    reason: fellBack ? `${decision.reason}, which could not answer` : decision.reason,
  })
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join('; ');

/** Puts the explanation into an answer that has not begun. */
export function tellTester(response: ServerResponse, told: Told): void {
  if (!response.headersSent && !response.destroyed) response.setHeader(EXPLAIN_HEADER, explainText(told));
}
