import type { RawHeaders } from './headers.js';
import { trimmed } from './plain-request.js';

/** Follows a chunked body (RFC 9112, 7.1) through the pieces it comes in, to its end. */
export type ChunkScan = {
  /**
   * Scans `bytes[from, to)`. `pass` gets the ranges to send on: all but extensions, which belong to one connection, and trailers, which
   * `take` gets at their place in front of the last empty line. `data` gets the body itself. Gives the place behind the end of the
   * body, `more`, or `malformed`.
   */
  scan(
    bytes: Buffer,
    from: number,
    to: number,
    pass: Take,
    data: Take,
    take: (trailers: RawHeaders) => void,
  ): number | 'more' | 'malformed';
};
type Take = (from: number, to: number) => void;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const MOST_DIGITS = 8;
const LONGEST_REST = 16_384;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

type State =
  | 'size'
  | 'extension'
  | 'size-end'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'in-trailer'
  | 'trailer-lf'
  | 'last-lf';

export function createChunkScan(): ChunkScan {
  let state: State = 'size';
  let size = 0;
  let digits = 0;
  /** Bytes of extensions and trailers: nobody may keep us busy with those alone. */
  let rest = 0;
  const trailers: string[] = [];
  let trailer = '';
  return {
    scan(bytes, from, to, pass, data, take) {
      let clean = from;
      for (let at = from; at < to;) {
        const byte = bytes[at] as number;
        switch (state) {
          case 'size': {
            const digit = digitOf(byte);
            if (digit >= 0) {
              if (++digits > MOST_DIGITS) return 'malformed';
              size = size * 16 + digit;
            } else if (digits === 0) return 'malformed';
            else if (byte === CR) state = 'size-end';
            else if (byte === SEMICOLON) {
              pass(clean, at);
              state = 'extension';
            } else return 'malformed';
            at++;
            break;
          }
          case 'extension':
            if (byte === CR) {
              clean = at;
              state = 'size-end';
            } else if (isControl(byte) || ++rest > LONGEST_REST) return 'malformed';
            at++;
            break;
          case 'size-end':
            if (byte !== LF) return 'malformed';
            at++;
            digits = 0;
            state = size === 0 ? 'trailer' : 'data';
            break;
          case 'data': {
            const stop = Math.min(to, at + size);
            data(at, stop);
            size -= stop - at;
            at = stop;
            if (size === 0) state = 'data-cr';
            break;
          }
          case 'data-cr':
            if (byte !== CR) return 'malformed';
            at++;
            state = 'data-lf';
            break;
          case 'data-lf':
            if (byte !== LF) return 'malformed';
            at++;
            state = 'size';
            break;
          case 'trailer':
            if (byte === CR) {
              if (trailers.length > 0) take(trailers);
              state = 'last-lf';
            } else {
              if (isControl(byte)) return 'malformed';
              pass(clean, at);
              trailer = String.fromCharCode(byte);
              state = 'in-trailer';
            }
            at++;
            break;
          case 'in-trailer':
            if (byte === CR) state = 'trailer-lf';
            else if (isControl(byte) || ++rest > LONGEST_REST) return 'malformed';
            else trailer += String.fromCharCode(byte);
            at++;
            break;
          case 'trailer-lf': {
            const colon = trailer.indexOf(':');
            const name = trailer.slice(0, Math.max(0, colon));
            if (byte !== LF || !TOKEN.test(name) || name.toLowerCase() === 'content-length')
              return 'malformed';
            trailers.push(name, trimmed(trailer, colon + 1, trailer.length));
            at++;
            clean = at;
            state = 'trailer';
            break;
          }
          case 'last-lf':
            if (byte !== LF) return 'malformed';
            pass(clean, at + 1);
            return at + 1;
        }
      }
      if (state !== 'extension' && state !== 'in-trailer' && state !== 'trailer-lf') pass(clean, to);
      return 'more';
    },
  };
}

const isControl = (byte: number): boolean => (byte < 0x20 && byte !== 0x09) || byte === 0x7f;

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
