import type { Plan, StranglerError } from '@strangler/contracts';
import { requestLooped } from './errors.js';
import { type Arrival, type Way, writeForwarded } from './forwarded.js';
import { type RawHeaders, valuesOf } from './headers.js';
import { createRandomHex, type RandomHex } from './random-hex.js';
import { givenRequestId, newRequestId, REQUEST_ID_HEADER } from './request-id.js';
import { continueTrace, parseTraceparent, type Span } from './trace-context.js';
import { redactTarget } from './redact.js';
import { createTrust, withoutMapping } from './trust.js';

/** What the proxy itself says of a request, and to whom. */
export type Entered = Way & {
  readonly requestId: string;
  /** Of the trace the request belongs to, ours or not. */
  readonly traceId: string | undefined;
  /** There when spans of this request are to be kept. */
  readonly span: Span | undefined;
};

export type Entrance = {
  /**
   * Writes its headers behind those in `headers`; `said` are the client's own of the names in ENTRANCE_HEADERS, which go on
   * only when this lets them. Refuses a request that has been here before.
   */
  enter(request: string, arrival: Arrival, said: RawHeaders, headers: string[]): Entered | StranglerError;
  /** For a request that was refused before it could enter. */
  newRequestId(): string;
  /** The value that Via gets in answers. */
  readonly via: string | undefined;
};

/** Headers the entrance writes itself, or weighs before they go on. */
export const ENTRANCE_HEADERS: ReadonlySet<string> = new Set([
  'forwarded',
  'traceparent',
  'tracestate',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

export type EntrancePlan = Pick<Plan['proxy'], 'trusted' | 'forwarded' | 'via' | 'tracing'>;

/** Compiled once for each plan. */
export function createEntrance(
  plan: EntrancePlan,
  { randomHex = createRandomHex() }: { readonly randomHex?: RandomHex } = {},
): Entrance {
  const trust = createTrust(plan.trusted);
  return {
    // Upstreams are asked by HTTP/1.1 alone.
    via: plan.via === undefined ? undefined : `1.1 ${plan.via}`,
    newRequestId: () => newRequestId(randomHex),
    enter(request, arrival, said, headers) {
      const vias = said.length > 0 ? valuesOf(said, 'via') : [];
      if (plan.via !== undefined && passed(vias, plan.via))
        return requestLooped(redactTarget(request), plan.via);
      const way = writeForwarded(headers, said, arrival, trust, plan);
      const isTrusted = said.length > 0 && trust.trusts(withoutMapping(arrival.remoteAddress));
      const requestId = (isTrusted ? givenRequestId(said) : undefined) ?? newRequestId(randomHex);
      headers.push(REQUEST_ID_HEADER, requestId);
      for (const value of vias) headers.push('Via', value);
      if (plan.via !== undefined) headers.push('Via', `${arrival.protocol ?? '1.1'} ${plan.via}`);
      if (plan.tracing) {
        const traced = continueTrace(said, plan.tracing.ratio, randomHex);
        headers.push(...traced.headers);
        return { ...way, requestId, traceId: traced.traceId, span: traced.span };
      }
      // A proxy that keeps no spans must not stand in the tree: the caller's context goes on as it came.
      const traceId = said.length > 0 ? passContext(said, headers) : undefined;
      return { ...way, requestId, traceId, span: undefined };
    },
  };
}

/** What stands in the way of a plan without any of these keys. */
export const PLAIN_ENTRANCE: Entrance = createEntrance({ forwarded: 'x-forwarded' });

/** RFC 9110, 7.6.3: `[name/]version received-by [(comment)]`, several of them separated by commas. */
const passed = (vias: readonly string[], pseudonym: string): boolean =>
  vias.some((value) => value.split(',').some((hop) => hop.trim().split(/\s+/)[1] === pseudonym));

function passContext(said: RawHeaders, headers: string[]): string | undefined {
  for (let index = 0; index + 1 < said.length; index += 2) {
    const name = said[index] as string;
    if (/^trace(?:parent|state)$/i.test(name)) headers.push(name, said[index + 1] as string);
  }
  return parseTraceparent(valuesOf(said, 'traceparent'))?.traceId;
}
