import type { Accepted } from './accept.js';
import type { Attempt, Outcome } from './attempt.js';
import type { Forward } from './forward.js';
import { type RawHeaders, valuesOf } from './headers.js';
import type { Verdict } from './judge.js';
import type { KeptSpan, SpanQueue } from './open-tracing.js';
import type { RandomHex } from './random-hex.js';
import { redactTarget } from './redact.js';
import { type Span, traceparent } from './trace-context.js';
import type { Upstream } from './upstreams.js';

/** One attempt of a request, as its span tells it. Times in milliseconds since 1970. */
export type Tried = {
  readonly spanId: string;
  readonly upstream: Upstream;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
};

/** A sampled request on its way. */
export type Trail = {
  /** As `Forward.web`, written down; each attempt tells the upstream a span of its own. */
  web(attempt: Attempt): Promise<Outcome>;
  readonly tries: readonly Tried[];
};

/** What is left to say of a request when it has been answered. */
export type Told = {
  readonly startedAt: number;
  readonly decidedAt: number;
  readonly endedAt: number;
  readonly tries: readonly Tried[];
  readonly by: string;
  readonly status: number | null;
};

export type Tracing = {
  trail(span: Span, forward: Pick<Forward, 'web'>): Trail;
  /** The spans of a request: the one of the proxy, `decide`, and a `forward` for each attempt. */
  served(span: Span, verdict: Verdict, told: Told): void;
  /** A copy that is asked: the headers to ask it with, and what to call when its answer is there. */
  shadow(
    span: Span,
    upstream: Upstream,
    headers: RawHeaders,
  ): {
    readonly headers: RawHeaders;
    done(result: { readonly status: number } | { readonly reason: string }): void;
  };
  stop(): Promise<void>;
};

export type TracingOptions = {
  readonly queue: SpanQueue;
  readonly service: string;
  readonly instance: string;
  readonly randomHex: RandomHex;
  readonly now: () => number;
};

// SpanKind and SpanStatusCode of the OpenTelemetry API; its package is not loaded for two numbers each.
const KIND = { internal: 0, server: 1, client: 2 } as const;
const ERROR = 2;
// Semantic conventions for HTTP: any other method is "_OTHER", so that nobody can make up values.
const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Draft = {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly isParentRemote?: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  readonly isError?: boolean;
};

/** Spans are made when a request is over, of what is known then: nothing is held in a context while it is on its way. */
export function createTracing({ queue, service, instance, randomHex, now }: TracingOptions): Tracing {
  const resource = {
    attributes: { 'service.name': service, 'service.instance.id': instance },
  };
  const keep = (draft: Draft): void => queue.keep(spanOf(draft, resource));
  return {
    trail(span, forward) {
      const tries: Tried[] = [];
      return {
        tries,
        async web(attempt) {
          const isFirst = tries.length === 0;
          const spanId = isFirst ? span.attemptId : randomHex(8);
          const accepted = isFirst ? attempt.accepted : retraced(attempt.accepted, span, spanId);
          const startedAt = now();
          const outcome = await forward.web({ ...attempt, accepted });
          tries.push({ spanId, upstream: attempt.upstream, startedAt, endedAt: now(), outcome });
          return outcome;
        },
      };
    },
    served({ traceId, spanId, parentId }, { accepted, route, phase, consulted, decision }, told) {
      const { startedAt, decidedAt, endedAt, status, by } = told;
      const method = methodOf(accepted);
      const plan = {
        'strangler.route': route?.text ?? 'other',
        'strangler.migration': route?.migration,
        'strangler.phase': route && phase,
      };
      keep({
        name: route ? `${method} ${pathOf(route.text)}` : method,
        kind: KIND.server,
        traceId,
        spanId,
        parentId,
        isParentRemote: true,
        startedAt,
        endedAt,
        isError: status === null || status >= 500,
        attributes: {
          'http.request.method': method,
          'http.route': route && pathOf(route.text),
          'http.response.status_code': status ?? undefined,
          'url.scheme': accepted.isSecure ? 'https' : 'http',
          ...urlOf(accepted.target),
          'server.address': hostOf(accepted.headers),
          'error.type': status !== null && status >= 500 ? String(status) : undefined,
          ...plan,
          'strangler.by': by,
          'strangler.request_id': accepted.requestId,
        },
      });
      keep({
        name: 'decide',
        kind: KIND.internal,
        traceId,
        spanId: randomHex(8),
        parentId: spanId,
        startedAt,
        endedAt: decidedAt,
        attributes: {
          ...plan,
          'strangler.side': decision.side,
          'strangler.upstream': decision.upstream,
          'strangler.reason': decision.reason,
          'strangler.shadow': decision.shadow,
          'strangler.client': consulted.client?.kind,
          'strangler.tester': consulted.tester !== undefined,
        },
      });
      for (const each of told.tries) keep(forwardSpan(traceId, spanId, method, each));
    },
    shadow({ traceId, spanId: parentId }, upstream, headers) {
      const spanId = randomHex(8);
      const startedAt = now();
      return {
        headers: withTraceparent(headers, traceId, spanId),
        done(result) {
          const status = 'status' in result ? result.status : undefined;
          keep({
            name: 'shadow',
            kind: KIND.client,
            traceId,
            spanId,
            parentId,
            startedAt,
            endedAt: now(),
            isError: status === undefined || status >= 500,
            attributes: {
              'http.request.method': 'GET',
              'http.response.status_code': status,
              'error.type': 'reason' in result ? result.reason : undefined,
              ...addressOf(upstream),
              'strangler.shadow': true,
            },
          });
        },
      };
    },
    stop: () => queue.stop(),
  };
}

function forwardSpan(traceId: string, parentId: string, method: string, tried: Tried): Draft {
  const { spanId, upstream, startedAt, endedAt, outcome } = tried;
  const status = outcome.kind === 'answered' || outcome.kind === 'unavailable' ? outcome.status : undefined;
  const error =
    outcome.kind === 'failed' ? outcome.error.code : outcome.kind === 'abandoned' ? 'abandoned' : undefined;
  return {
    name: 'forward',
    kind: KIND.client,
    traceId,
    spanId,
    parentId,
    startedAt,
    endedAt,
    // Semantic conventions: to whoever asks, 400 and above is an error.
    isError: outcome.kind === 'failed' || (status ?? 0) >= 400,
    attributes: {
      'http.request.method': method,
      'http.response.status_code': status,
      'error.type': error ?? ((status ?? 0) >= 400 ? String(status) : undefined),
      ...addressOf(upstream),
    },
  };
}

function spanOf(draft: Draft, resource: { readonly attributes: Attributes }): KeptSpan {
  const { traceId, spanId, parentId, isParentRemote = false } = draft;
  const attributes = Object.fromEntries(
    Object.entries(draft.attributes).filter(([, value]) => value !== undefined),
  );
  const span = {
    name: draft.name,
    kind: draft.kind,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    ...(parentId !== undefined && {
      parentSpanContext: { traceId, spanId: parentId, traceFlags: 1, isRemote: isParentRemote },
    }),
    startTime: highResolution(draft.startedAt),
    endTime: highResolution(draft.endedAt),
    duration: highResolution(draft.endedAt - draft.startedAt),
    status: { code: draft.isError ? ERROR : 0 },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: '@strangler/proxy' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
  return span as unknown as KeptSpan;
}

/** Seconds and nanoseconds. */
const highResolution = (milliseconds: number): [number, number] => {
  const seconds = Math.trunc(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1_000_000)];
};

const retraced = (accepted: Accepted, { traceId }: Span, spanId: string): Accepted => ({
  ...accepted,
  headers: withTraceparent(accepted.headers, traceId, spanId),
});

const withTraceparent = (headers: RawHeaders, traceId: string, spanId: string): RawHeaders =>
  headers.map((text, index) =>
    index % 2 === 1 && headers[index - 1] === 'Traceparent' ? traceparent(traceId, spanId, true) : text,
  );

const methodOf = ({ method }: Accepted): string => (METHODS.has(method) ? method : '_OTHER');

/** The path of a route without method and conditions. */
const pathOf = (text: string): string => text.split(' ')[1] ?? text;

function urlOf(target: string): Attributes {
  const [path, query] = redactTarget(target).split(/\?(.*)/s);
  return { 'url.path': path, 'url.query': query === '' ? undefined : query };
}

const hostOf = (headers: RawHeaders): string | undefined =>
  valuesOf(headers, 'host')[0]?.replace(/:\d*$/, '');

/** The address an upstream is known by; which of several instances answered is not known when the span begins. */
function addressOf({ name, origins: [first, ...more] }: Upstream): Attributes {
  if (first === undefined || more.length > 0) return { 'strangler.upstream': name };
  const url = new URL(first);
  return {
    'server.address': url.hostname.replaceAll(/[[\]]/g, ''),
    'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    'strangler.upstream': name,
  };
}
