import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';

/** What of an error a client gets; the id lets the team find the request in the log. */
export const refusalBody = ({ code, message }: StranglerError, requestId: string | undefined): string =>
  JSON.stringify({ code, message, requestId });

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
  const requestId = requestIdOf(response);
  const body = refusalBody(error, requestId);
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(requestId !== undefined && { [REQUEST_ID_HEADER]: requestId }),
    ...(close && { connection: 'close' }),
    ...headers,
  });
  response.end(body);
}

/** The same on a connection that wanted to be upgraded: it is answered and ended. */
export function refuseUpgrade(socket: Duplex, error: StranglerError): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const text = refusalText(error, { requestId: requestIdOf(socket), rest: 'connection: close\r\n' });
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
