import type { GrpcRules, StranglerError } from '@strangler/contracts';
import { paramsOf } from './edit-target.js';
import {
  answerCut,
  bodyNotJson,
  fieldInvalid,
  upstreamRefused,
  upstreamReset,
  upstreamTimeout,
} from './errors.js';
import { FieldInvalid, fromMessage, parseMessageJson, setField, toMessage } from './grpc-message.js';
import { codeNameOf, httpStatusOf } from './grpc-status.js';
import { type RawHeaders, valuesOf } from './headers.js';
import type { Route } from './match.js';
import type { GrpcCall, GrpcOngoing } from './open-grpc.js';
import type { Upstream } from './upstreams.js';

export type GrpcQuestion = {
  readonly call: GrpcCall;
  readonly route: Route;
  readonly upstream: Pick<Upstream, 'name'>;
  readonly timeoutMs: number;
  /** The target the client asked for: a path has parameters only by the route's own pattern. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: Buffer | undefined;
};

/** Where the answer goes, as one of HTTP. After `failed` nothing more comes. */
export type GrpcSink = {
  head(status: number, headers: RawHeaders): void;
  /** False: `drained` tells when more can be taken. */
  data(chunk: Buffer): boolean;
  drained(resume: () => void): void;
  end(): void;
  failed(error: StranglerError): void;
};

/** Asks a gRPC method for what a request of HTTP asks, and gives its answer as one of HTTP. A value: the request does not fit. */
export function askByGrpc(question: GrpcQuestion, sink: GrpcSink): GrpcOngoing | StranglerError {
  const { call, route, upstream, timeoutMs, headers } = question;
  const rules = route.grpc?.rules as GrpcRules;
  let fields: object;
  try {
    fields = requestOf(question, rules);
  } catch (error) {
    if (error instanceof FieldInvalid) return fieldInvalid(route.text, error.message);
    if (error instanceof SyntaxError) return bodyNotJson(route.text);
    throw error;
  }
  // The mark of a copy, and the epoch of a write; what a client sends under such a name has not come this far.
  const metadata = [...rules.metadata, 'x-strangler-shadow', 'x-strangler-epoch'].flatMap((name) =>
    valuesOf(headers, name).flatMap((value) => [name, value]),
  );
  const textOf = (message: unknown): string =>
    JSON.stringify(partOf(fromMessage(call.response, message, rules.defaults), rules.responseBody) ?? null);
  const isArray = call.streams && rules.stream === 'array';
  const type = call.streams && !isArray ? 'application/x-ndjson' : 'application/json';
  let sent = 0;
  const begin = () => {
    if (sent++ === 0) sink.head(200, ['Content-Type', type]);
  };

  const send = (text: string): boolean => {
    const flows = sink.data(Buffer.from(text));
    if (!flows) sink.drained(() => ongoing.resume());
    return flows;
  };
  const ongoing = call.start(fields, metadata, timeoutMs, {
    message(message) {
      const text = textOf(message);
      if (!call.streams) {
        sent++;
        sink.head(200, ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text))]);
        return send(text);
      }
      const opening = isArray ? (sent === 0 ? '[' : ',') : '';
      begin();
      return send(`${opening}${text}${isArray ? '' : '\n'}`);
    },
    end({ code, text, isOurs }) {
      if (code === 0) {
        if (sent === 0 && !call.streams) return sink.failed(upstreamReset(upstream.name));
        const isEmpty = sent === 0;
        begin();
        if (isArray) sink.data(Buffer.from(isEmpty ? '[]' : ']'));
        return sink.end();
      }
      if (sent > 0) return sink.failed(answerCut(upstream.name));
      const name = codeNameOf(code);
      if (isOurs && name === 'UNAVAILABLE') return sink.failed(upstreamRefused(upstream.name));
      if (isOurs && name === 'DEADLINE_EXCEEDED')
        return sink.failed(upstreamTimeout(upstream.name, timeoutMs));
      if (isOurs) return sink.failed(upstreamReset(upstream.name));
      const body = Buffer.from(JSON.stringify({ code: name, message: text }));
      sink.head(httpStatusOf(name, rules), [
        'Content-Type',
        'application/json',
        'Content-Length',
        String(body.length),
      ]);
      sink.data(body);
      sink.end();
    },
  });
  return ongoing;
}

/** Body, then query, then path, as google/api/http.proto says: with a body of "*" the query says nothing. */
function requestOf({ call: { request }, route, target, body }: GrpcQuestion, rules: GrpcRules): object {
  let json: Record<string, unknown> = {};
  if (rules.body !== undefined && body !== undefined && body.length > 0) {
    const given = parseMessageJson(body);
    if (rules.body === '*') json = { ...(toObject(given) as Record<string, unknown>) };
    else setField(request, json, rules.body, given);
  }
  const fieldFor = (name: string): string =>
    Object.hasOwn(rules.fields, name) ? (rules.fields[name] as string) : name;
  const mark = target.indexOf('?');
  if (rules.body !== '*' && mark >= 0)
    for (const [name, value] of new URLSearchParams(target.slice(mark + 1)))
      if (/^\w+(?:\.\w+)*$/.test(fieldFor(name))) setField(request, json, fieldFor(name), value, true);
  for (const [name, value] of Object.entries(paramsOf(route.grpc?.segments ?? [], target)))
    if (name !== '*') setField(request, json, fieldFor(name), decodeURIComponent(value));
  return toMessage(request, json);
}

function toObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new FieldInvalid('the body is not an object');
}

const partOf = (json: unknown, path: string | undefined): unknown =>
  path === undefined
    ? json
    : path
        .split('.')
        .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[camel(name)], json);
const camel = (name: string): string =>
  name.replaceAll(/_([a-z\d])/gi, (_all, letter: string) => letter.toUpperCase());
