import { STATUS_CODES } from 'node:http';
import type { Accepted } from './accept.js';
import type { AnswerHead } from './answer-head.js';

const EXPECTS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** As undici writes it: the host first, then what belongs to the connection, then the rest as it came, the length last. */
export function requestText({ method, target, headers }: Accepted, bodyBytes: number | undefined): string {
  let host = '';
  let rest = '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const key = name.length === 4 || name.length === 14 ? name.toLowerCase() : '';
    if (key === 'host') host = headers[index + 1] as string;
    else if (key !== 'content-length') rest += `${name}: ${headers[index + 1] as string}\r\n`;
  }
  const connection = method === 'HEAD' ? 'close' : 'keep-alive';
  const length =
    bodyBytes !== undefined || EXPECTS_BODY.has(method) ? `content-length: ${bodyBytes ?? 0}\r\n` : '';
  return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n${rest}${length}\r\n`;
}

/** What node:http writes behind the headers of an answer; `keptMs`: how long the connection is kept idle, 0 when it ends. */
export const endOfHead = (keptMs: number, date: (() => string) | undefined): string =>
  `${date === undefined ? '' : `Date: ${date()}\r\n`}${keptMs > 0 ? keptText(keptMs) : 'Connection: close\r\n'}`;
const keptText = (keptMs: number): string =>
  `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keptMs / 1_000)}\r\n`;

/** As node:http writes an answer before the answer. */
export function informationText(status: number, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index] as string}: ${headers[index + 1] as string}\r\n`;
  return `${text}\r\n`;
}

export function answerText(
  { status, message, body }: AnswerHead,
  headers: readonly string[],
  keptMs: number,
  date: () => string,
): string {
  let text = `HTTP/1.1 ${status} ${message}\r\n`;
  let hasDate = false;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    text += `${name}: ${headers[index + 1] as string}\r\n`;
    if (name.length === 4 && name.toLowerCase() === 'date') hasDate = true;
  }
  text += endOfHead(keptMs, hasDate ? undefined : date);
  if (body === 'chunked' || body === 'close') text += 'Transfer-Encoding: chunked\r\n';
  return `${text}\r\n`;
}
