import { type RawHeaders, valuesOf } from './headers.js';
import type { RandomHex } from './random-hex.js';

/** The place of a sampled request in its trace. Ids are lower-case hex: 32 digits for a trace, 16 for a span. */
export type Span = {
  readonly traceId: string;
  /** The span of the request in this proxy. */
  readonly spanId: string;
  /** The caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  /** The span of the first attempt, which is the parent of what the upstream does. */
  readonly attemptId: string;
};

export type TraceContext = {
  readonly traceId: string;
  readonly parentId: string;
  readonly isSampled: boolean;
};

// W3C Trace Context, 3.2.2: lower case only; a later version may have more behind another dash.
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;

/** The context that a request brings along; undefined when it brings none, or one that is not right to the letter. */
export function parseTraceparent(values: readonly string[]): TraceContext | undefined {
  const [, version, traceId = '', parentId = '', flags = '', more] =
    values.length === 1 ? (TRACEPARENT.exec((values[0] as string).trim()) ?? []) : [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (NOTHING.test(traceId) || NOTHING.test(parentId)) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

// 3.3.1.3; a member of several tenants has the form "tenant@system".
const MEMBER =
  /^(?:[a-z][\w*/-]{0,255}|[a-z\d][\w*/-]{0,240}@[a-z][\w*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;

/** All of it or nothing: members in the order they came, without empty ones. */
export function parseTracestate(values: readonly string[]): string | undefined {
  const members = values
    .flatMap((value) => value.split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const names = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  const isRight =
    members.length > 0 &&
    members.length <= MOST_MEMBERS &&
    names.size === members.length &&
    members.every((member) => MEMBER.test(member));
  return isRight ? members.join(',') : undefined;
}

export const traceparent = (traceId: string, spanId: string, isSampled: boolean): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/** What is written into the request, and the place in the trace when it is sampled. */
export type Traced = {
  readonly traceId: string;
  readonly span: Span | undefined;
  readonly headers: RawHeaders;
};

/**
 * Continues the trace of the request, with the caller's choice whether it is sampled, or begins one. `said` holds its
 * traceparent and tracestate. A ratio is taken of the trace id, so that all who read the id choose alike.
 */
export function continueTrace(said: RawHeaders, ratio: number, randomHex: RandomHex): Traced {
  const context = parseTraceparent(valuesOf(said, 'traceparent'));
  const traceId = context?.traceId ?? randomHex(16);
  const isSampled = context
    ? context.isSampled
    : Number.parseInt(traceId.slice(-8), 16) < ratio * 0x1_0000_0000;
  const attemptId = randomHex(8);
  const state = context && parseTracestate(valuesOf(said, 'tracestate'));
  return {
    traceId,
    span: isSampled ? { traceId, spanId: randomHex(8), parentId: context?.parentId, attemptId } : undefined,
    headers: [
      'Traceparent',
      traceparent(traceId, attemptId, isSampled),
      ...(state === undefined ? [] : ['Tracestate', state]),
    ],
  };
}
