import type { Value } from '@strangler/contracts';
import type { Column } from './column.js';
import { printDouble } from './print-double.js';
import { printJson } from './print-json.js';

const latin1 = new TextDecoder('windows-1252');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

const asText = (bytes: Uint8Array, charset: string | null): string =>
  charset === 'latin1' ? latin1.decode(bytes) : utf8.decode(bytes);

/** What the log's reader makes of a value; undefined is the label of an ENUM's index 0, which has none. */
export type RawValue = string | number | Uint8Array | null | undefined;

/**
 * A value as the log's reader yields it becomes the text the database prints over its text protocol, in UTC.
 * A FLOAT is printed as the DOUBLE it is equal to: the server's own text for it has six digits and loses the rest.
 */
export function decodeValue(column: Column, raw: RawValue): Value {
  if (raw === null) return null;
  switch (column.kind) {
    case 'integer':
      return padded(column, String(raw));
    case 'float':
    case 'double':
      return printDouble(Number(raw));
    case 'year':
      // The log counts from 1900 and 0 is the year 0000; 1900 itself is no YEAR.
      return Number(raw) === 1900 ? '0000' : String(raw);
    case 'time':
      return decodeTime(String(raw));
    case 'timestamp':
      return decodeTimestamp(String(raw));
    case 'text':
      return raw instanceof Uint8Array ? asText(raw, column.charset) : String(raw);
    case 'enum':
    case 'set':
      // An ENUM that was given a value it does not have holds the empty string, at index 0.
      return String(raw ?? '');
    case 'json':
      return raw instanceof Uint8Array ? printJson(raw) : String(raw);
    default:
      return raw instanceof Uint8Array ? raw : String(raw);
  }
}

function padded(column: Column, digits: string): string {
  if (!column.type.includes('zerofill')) return digits;
  const width = Number(/\((\d+)\)/.exec(column.type)?.[1] ?? 0);
  return digits.padStart(width, '0');
}

/**
 * A negative TIME is stored as a two's complement over packed hours, minutes, seconds and fraction. The reader flips its bits and adds
 * the one to the seconds, which may then be 60 to 64: the carry goes to the fields above.
 */
function decodeTime(text: string): string {
  const match = /^-(\d+):(\d+):(\d+)(\.\d+)?$/.exec(text);
  if (!match) return text;
  const packed = (Number(match[1]) << 12) + (Number(match[2]) << 6) + Number(match[3]);
  const [hour, minute, second] = [packed >> 12, (packed >> 6) & 63, packed & 63];
  const two = (part: number) => String(part).padStart(2, '0');
  return `-${two(hour)}:${two(minute)}:${two(second)}${match[4] ?? ''}`;
}

/** The reader takes the seconds as signed; TIMESTAMP has none before 1970, so those are past 2038-01-19. */
function decodeTimestamp(text: string): string {
  if (!/^19[0-6]/.test(text)) return text;
  const [whole = '', fraction] = text.split('.');
  const moment = new Date(Date.parse(`${whole.replace(' ', 'T')}Z`) + 2 ** 32 * 1000);
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}${fraction === undefined ? '' : `.${fraction}`}`;
}
