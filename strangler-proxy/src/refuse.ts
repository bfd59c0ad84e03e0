import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';

/** An error, and the headers that tell the client what to do about it. */
export type Refusal = { readonly error: StranglerError; readonly headers: Readonly<Record<string, string>> };

// What a client may still send while it is told: with less, its own connection would be reset before it has read why.
const LINGER_MS = 1_000;
const LINGER_BYTES = 4_194_304;

/** Answers with the error, as JSON; when an answer has begun already it can only be cut, so that nobody takes it for whole. */
export function refuse(
  response: ServerResponse,
  { code, status, message }: StranglerError,
  { close = false, headers = {} }: { close?: boolean; headers?: Refusal['headers'] } = {},
): void {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ code, message });
  if (close) response.shouldKeepAlive = false;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...headers,
    ...(close && { connection: 'close' }),
  });
  if (!close || response.req.complete) return void response.end(body);
  response.write(body);
  linger(response);
}

const lingering = new WeakMap<ServerResponse, () => void>();

/** Ends a refusal that waits for the rest of an upload which will not come; false when the answer is no such refusal. */
export function endRefusal(response: ServerResponse): boolean {
  const end = lingering.get(response);
  end?.();
  return end !== undefined;
}

/** Ends the answer when the rest of the upload has come, or has taken too long, or is too much. */
function linger(response: ServerResponse): void {
  const request = response.req;
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    request.off('data', count).off('close', end).off('end', end);
    response.end();
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
export function refuseUpgrade(socket: Duplex, { code, status, message }: StranglerError): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const body = JSON.stringify({ code, message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
