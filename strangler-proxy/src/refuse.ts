import { type ServerResponse, STATUS_CODES } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';
import { awaitsContinue } from './expect-continue.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';

/** What of an error a client gets; the id lets the team find the request in the log. */
export const refusalBody = ({ code, message }: StranglerError, requestId: string | undefined): string =>
  JSON.stringify({ code, message, requestId });

/** An error, and the headers that tell the client what to do about it. */
export type Refusal = { readonly error: StranglerError; readonly headers: Readonly<Record<string, string>> };

const RETRY_AFTER_S = 1;

/** A refusal that is over soon. */
export const retryLater = (error: StranglerError): Refusal => ({
  error,
  headers: { 'retry-after': String(RETRY_AFTER_S) },
});

// What a client may still send while it is told: with less, its own connection would be reset before it has read why.
const LINGER_MS = 1_000;
const LINGER_BYTES = 4_194_304;

/** Answers with the error, as JSON; when an answer has begun already it can only be cut, so that nobody takes it for whole. */
export function refuse(
  response: ServerResponse,
  error: StranglerError,
  {
    close = false,
    headers = {},
  }: { close?: boolean; headers?: Readonly<Record<string, string | string[]>> } = {},
): void {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const { req: request } = response;
  const requestId = requestIdOf(response);
  const body = refusalBody(error, requestId);
  const isStream = 'stream' in response;
  if (close && !isStream) response.shouldKeepAlive = false;
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(requestId !== undefined && { [REQUEST_ID_HEADER]: requestId }),
    ...(error.status === 401 && { 'www-authenticate': 'Bearer' }),
    ...headers,
    ...(close && { connection: 'close' }),
  });
  // Who waits to be asked for the body has nothing on its way.
  if (!close || request.complete || awaitsContinue(request)) return void response.end(body);
  if (!isStream) {
    // Node holds the head of an answer without a body back until its end.
    if (request.method === 'HEAD') response.flushHeaders();
    else response.write(body);
    return linger(response, () => void response.end());
  }
  // RFC 9113, 8.1: the answer is whole, the rest of the upload is not wanted, and the other streams go on.
  response.end(body);
  const { stream } = response as unknown as Http2ServerResponse;
  linger(response, () => stream.close(constants.NGHTTP2_NO_ERROR));
}

const lingering = new WeakMap<ServerResponse, () => void>();

/** Ends a refusal that waits for the rest of an upload which will not come; false when the answer is no such refusal. */
export function endRefusal(response: ServerResponse): boolean {
  const end = lingering.get(response);
  end?.();
  return end !== undefined;
}

/** Calls `over` when the rest of the upload has come, or has taken too long, or is too much. */
function linger(response: ServerResponse, over: () => void): void {
  const request = response.req;
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    request.off('data', count).off('close', end).off('end', end);
    over();
  };
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) end();
  };
  const timer = setTimeout(end, LINGER_MS);
  lingering.set(response, end);
  request.on('data', count).once('close', end).once('end', end).resume();
}

/** The same on a connection that wanted to be upgraded: it is answered and ended. */
export function refuseUpgrade(socket: Duplex, error: StranglerError, headers: Refusal['headers'] = {}): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const rest = `${lines.join('')}connection: close\r\n`;
  const text = refusalText(error, { requestId: requestIdOf(socket), rest });
  socket.end(text, () => socket.destroy());
}

/** The error as the bytes of an answer; `rest` are its last header lines. */
export function refusalText(
  error: StranglerError,
  { requestId, rest, isHead = false }: { requestId: string | undefined; rest: string; isHead?: boolean },
): string {
  const { status } = error;
  const body = refusalBody(error, requestId);
  const id = requestId === undefined ? '' : `${REQUEST_ID_HEADER}: ${requestId}\r\n`;
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${id}${rest}\r\n`;
  return isHead ? head : head + body;
}
