import type { RawHeaders } from './headers.js';

/** What the fields of a plain head say. */
export type PlainFields = {
  readonly rawHeaders: RawHeaders;
  readonly bodyBytes: number;
  readonly keepAlive: boolean;
};

/** The head of a request that every HTTP server reads in the same way. */
export type PlainHead<Fields extends PlainFields = PlainFields> = {
  readonly method: string;
  /** Origin form: a path and perhaps a query. */
  readonly target: string;
  readonly fields: Fields;
  /** Bytes of the head, with its empty line. */
  readonly length: number;
};

export const LONGEST_HEAD = 16_384;
export const LARGEST_BODY = 65_536;
const MOST_HEADERS = 100;

const LINE = /(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[!-~]*) HTTP\/1\.1\r\n/y;
// RFC 9110, 5.1 and 5.5: a token, a colon right behind it, field characters. No folded line, no lone CR or LF, no NUL passes this.
const FIELDS = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;
const CARRIES_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** What can never become plain is not waited for: whoever tells what is wrong with it tells it at once. */
const mayBecomePlain = (text: string): boolean =>
  /^[A-Z]{1,7}(?:$| (?:$|\/))/.test(text) && !/[^\r]\n/.test(text);

const SHORT = 2_048;

/** The text of a head and no body of any length. */
export function headText(bytes: Buffer): string {
  if (bytes.length <= SHORT) return bytes.toString('latin1');
  const end = bytes.indexOf('\r\n\r\n');
  return bytes.toString('latin1', 0, end === -1 ? Math.min(bytes.length, LONGEST_HEAD) : end + 4);
}

/**
 * Reads a head that begins `text` (bytes as latin1). `more`: it is not whole yet. `other`: it may be right or wrong, and the server
 * of Node has to tell. The safety of the lane rests on this being strict, not on its being complete.
 */
export function readPlainHead<Fields extends PlainFields = PlainFields>(
  text: string,
  readFields: (lines: string) => Fields | undefined,
): PlainHead<Fields> | 'more' | 'other' {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return text.length < LONGEST_HEAD && mayBecomePlain(text) ? 'more' : 'other';
  if (end > LONGEST_HEAD) return 'other';
  LINE.lastIndex = 0;
  const line = LINE.exec(text);
  if (line === null) return 'other';
  const fields = readFields(text.slice(LINE.lastIndex, end + 2));
  const method = line[1] as string;
  if (fields === undefined || (fields.bodyBytes > 0 && !CARRIES_BODY.has(method))) return 'other';
  return { method, target: line[2] as string, fields, length: end + 4 };
}

/** The lines of fields between the request line and the empty one; undefined when they may be right or wrong. */
export function readPlainFields(lines: string): PlainFields | undefined {
  if (!FIELDS.test(lines)) return undefined;
  const rawHeaders: string[] = [];
  let hosts = 0;
  let bodyBytes = -1;
  let connection = '';
  for (let at = 0; at < lines.length;) {
    const stop = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    const name = lines.slice(at, colon);
    const value = trimmed(lines, colon + 1, stop);
    rawHeaders.push(name, value);
    at = stop + 2;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') hosts++;
        break;
      case 2:
      case 6:
      case 7:
      case 17:
        if (NEVER_PLAIN.has(name.toLowerCase())) return undefined;
        break;
      case 10:
        if (name.toLowerCase() !== 'connection') break;
        if (connection !== '') return undefined;
        connection = value.toLowerCase();
        if (connection !== 'keep-alive' && connection !== 'close') return undefined;
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (bodyBytes !== -1 || !/^\d{1,6}$/.test(value)) return undefined;
        bodyBytes = Number(value);
        break;
      default:
    }
  }
  if (hosts !== 1 || rawHeaders.length > 2 * MOST_HEADERS || bodyBytes > LARGEST_BODY) return undefined;
  return { rawHeaders, bodyBytes: Math.max(0, bodyBytes), keepAlive: connection !== 'close' };
}

const NEVER_PLAIN = new Set(['te', 'expect', 'upgrade', 'trailer', 'transfer-encoding']);

const SPACE = 0x20;
const TAB = 0x09;
const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** RFC 9110, 5.5: blanks around a value do not belong to it. */
export function trimmed(text: string, from: number, to: number): string {
  let begin = from;
  let end = to;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}
