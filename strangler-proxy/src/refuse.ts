import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';

/** Answers with the error, as JSON; when an answer has begun already it can only be cut, so that nobody takes it for whole. */
export function refuse(
  response: ServerResponse,
  { code, status, message }: StranglerError,
  { close = false } = {},
): void {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ code, message });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(close && { connection: 'close' }),
  });
  response.end(body);
}

/** The same on a connection that wanted to be upgraded: it is answered and ended. */
export function refuseUpgrade(socket: Duplex, error: StranglerError): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  socket.end(refusalText(error, 'connection: close\r\n'), () => socket.destroy());
}

/** The error as the bytes of an answer; `rest` are its last header lines. */
export function refusalText({ code, status, message }: StranglerError, rest: string, isHead = false): string {
  const body = JSON.stringify({ code, message });
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${rest}\r\n`;
  return isHead ? head : head + body;
}
