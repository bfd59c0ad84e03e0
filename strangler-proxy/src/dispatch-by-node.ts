import { type IncomingMessage, request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import type { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import { announcedIn, trailersOf } from './trailers.js';
import type { RawHeaders } from './headers.js';
import type { Instance } from './instance.js';

export type NodeDispatch = {
  readonly instance: Pick<Instance, 'host' | 'port' | 'tls' | 'servername'>;
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  /** The client's request: its announcement before, its trailers after the body. */
  readonly request: Pick<IncomingMessage, 'rawHeaders' | 'rawTrailers'>;
  readonly body: PassThrough;
  /** The upstream is asked whether it wants the body; `onContinue` says that it does. */
  readonly expect: boolean;
  readonly onContinue: () => void;
};

const MAX_HEADER_BYTES = 65_536;

/**
 * Sends a request with what undici cannot send: trailers after the body, and `Expect: 100-continue`. One connection for one
 * request; it tells its story to the same handler as undici does.
 */
export function dispatchByNode(dispatch: NodeDispatch, handler: Dispatcher.DispatchHandler): void {
  const { instance, method, path, request, body, expect, onContinue } = dispatch;
  const { host, port, tls, servername } = instance;
  const headers = [...dispatch.headers];
  const isChunked = !headers.some((name, index) => index % 2 === 0 && /^content-length$/i.test(name));
  const announced = isChunked ? announcedIn(request.rawHeaders) : undefined;
  if (isChunked) headers.push('Transfer-Encoding', 'chunked');
  if (announced !== undefined) headers.push('Trailer', announced);
  if (expect) headers.push('Expect', '100-continue');
  const outgoing = (tls ? requestByHttps : requestByHttp)({
    hostname: host,
    port,
    method,
    path,
    headers: [...headers, 'Connection', 'close'],
    agent: false,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Not the name node makes of the Host header, which is the client's.
    ...(tls && { ...tls, servername: servername ?? '' }),
  });
  let answer: IncomingMessage | undefined;
  const controller = {
    aborted: false,
    paused: false,
    reason: null as Error | null,
    rawHeaders: [] as Buffer[],
    rawTrailers: [] as Buffer[],
    pause: () => void answer?.pause(),
    resume: () => void answer?.resume(),
    abort(reason: Error) {
      controller.aborted = true;
      controller.reason = reason;
      outgoing.destroy(reason);
      answer?.destroy(reason);
    },
  };
  const fail = (error: Error) => handler.onResponseError?.(controller, error);
  const begin = (status: number, message: string, raw: readonly string[]) => {
    controller.rawHeaders = bytesOf(raw);
    handler.onResponseStart?.(controller, status, {}, message);
  };

  handler.onRequestStart?.(controller, {});
  if (controller.aborted) return void outgoing.on('error', () => {});
  outgoing.on('error', (error) => {
    if (!answer) fail(error);
  });
  outgoing.on('continue', onContinue);
  outgoing.on('information', ({ statusCode, statusMessage, rawHeaders }) =>
    begin(statusCode, statusMessage, rawHeaders),
  );
  outgoing.on('response', (incoming) => {
    answer = incoming;
    begin(incoming.statusCode as number, incoming.statusMessage ?? '', incoming.rawHeaders);
    if (controller.aborted) return;
    incoming.on('data', (chunk: Buffer) => handler.onResponseData?.(controller, chunk));
    incoming.on('end', () => {
      controller.rawTrailers = bytesOf(incoming.rawTrailers);
      handler.onResponseEnd?.(controller, {});
    });
    incoming.on('error', fail);
  });
  body.on('data', (chunk: Buffer) => handler.onBodySent?.(chunk));
  body.pipe(outgoing, { end: false });
  body.once('end', () => {
    const trailers = announced === undefined ? [] : trailersOf(request.rawTrailers);
    if (trailers.length > 0) outgoing.addTrailers([...trailers] as [string, string][]);
    outgoing.end();
  });
  outgoing.flushHeaders();
}

const bytesOf = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text, 'latin1'));
