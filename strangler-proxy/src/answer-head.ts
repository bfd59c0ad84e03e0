import type { RawHeaders } from './headers.js';
import { trimmed } from './plain-request.js';

/** The head of an answer of an upstream, and how its body ends. */
export type AnswerHead = {
  readonly status: number;
  readonly message: string;
  readonly rawHeaders: RawHeaders;
  readonly body: 'none' | 'length' | 'chunked' | 'close';
  /** With `length`. */
  readonly bodyBytes: number;
  /** The connection can take another request afterwards. */
  readonly keepAlive: boolean;
  /** Milliseconds the upstream keeps an idle connection, when it says so. */
  readonly keptMs: number | undefined;
  /** Bytes of the head, with its empty line. */
  readonly length: number;
};

export const LONGEST_ANSWER_HEAD = 65_536;

const STATUS = /HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/y;
const FIELDS = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*(?=\r\n)/y;

/** Reads the head that begins `text` (bytes as latin1), strictly: whatever could be read in two ways is malformed (RFC 9112, 6.3). */
export function readAnswerHead(text: string, method: string): AnswerHead | 'more' | 'malformed' {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return text.length < LONGEST_ANSWER_HEAD && mayBecomeHead(text) ? 'more' : 'malformed';
  STATUS.lastIndex = 0;
  const line = STATUS.exec(text);
  if (line === null || end > LONGEST_ANSWER_HEAD) return 'malformed';
  FIELDS.lastIndex = STATUS.lastIndex;
  // A head without fields: its status line ends with the first half of the empty line's four bytes.
  if (!FIELDS.test(text) || FIELDS.lastIndex !== end + 2) return 'malformed';

  const status = Number(line[2]);
  const rawHeaders: string[] = [];
  let length = -1;
  let coding = '';
  let connection = '';
  let keptMs: number | undefined;
  for (let at = STATUS.lastIndex; at < end + 2;) {
    const stop = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, stop);
    rawHeaders.push(name, value);
    at = stop + 2;
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== -1 || !/^\d{1,15}$/.test(value)) return 'malformed';
      length = Number(value);
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (coding !== '' || value.toLowerCase() !== 'chunked') return 'malformed';
      coding = 'chunked';
    } else if (name.length === 10) {
      const key = name.toLowerCase();
      if (key === 'connection') connection = `${connection},${value.toLowerCase()}`;
      else if (key === 'keep-alive') keptMs = keptOf(value);
    }
  }
  if (coding !== '' && length !== -1) return 'malformed';
  const isOld = line[1] === '0';
  const isBare = method === 'HEAD' || status === 204 || status === 304 || status < 200;
  const body = isBare ? 'none' : coding !== '' ? 'chunked' : length >= 0 ? 'length' : 'close';
  return {
    status,
    message: line[3] ?? '',
    rawHeaders,
    body,
    bodyBytes: Math.max(0, length),
    // The connection ends with a HEAD: a server that sends a body all the same would answer the next request with it.
    keepAlive:
      body !== 'close' &&
      method !== 'HEAD' &&
      (isOld ? /\bkeep-alive\b/.test(connection) : !/\bclose\b/.test(connection)),
    keptMs,
    length: end + 4,
  };
}

/** What can never become a head is not waited for. */
const mayBecomeHead = (text: string): boolean =>
  text.length < 9
    ? 'HTTP/1.1 '.startsWith(text) || 'HTTP/1.0 '.startsWith(text)
    : /^HTTP\/1\.[01] /.test(text) && !/[^\r]\n/.test(text);

function keptOf(value: string): number | undefined {
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
