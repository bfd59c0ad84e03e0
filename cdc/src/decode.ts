import type { Row, Value } from '@strangler/contracts';
import type { Column } from './column.js';
import { printDouble } from './print-double.js';
import { printJson } from './print-json.js';
import type { Table } from './table.js';

const latin1 = new TextDecoder('windows-1252');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

// A Buffer's own decoding costs a fraction of a TextDecoder's for the short texts of a row, and leaves a byte order mark in as that one does.
const asText = (bytes: Uint8Array, charset: string | null): string =>
  charset === 'latin1'
    ? latin1.decode(bytes)
    : bytes instanceof Buffer
      ? bytes.toString('utf8')
      : utf8.decode(bytes);

/** What the log's reader makes of a value; undefined is the label of an ENUM's index 0, which has none. */
export type RawValue = string | number | Uint8Array | null | undefined;

type Decode = (raw: Exclude<RawValue, null>) => Value;
type DecodeRow = (raw: Readonly<Record<string, RawValue>>) => Row;

const decoders = new WeakMap<Column, Decode>();
const rowDecoders = new WeakMap<Table, DecodeRow>();

/**
 * A value as the log's reader yields it becomes the text the database prints over its text protocol, in UTC.
 * A FLOAT is printed as the DOUBLE it is equal to: the server's own text for it has six digits and loses the rest.
 */
export function decodeValue(column: Column, raw: RawValue): Value {
  return raw === null ? null : decoderOf(column)(raw);
}

/** Every column of a row as the log's reader yields it; what depends on the table alone is found out once. */
export function decodeRow(table: Table, raw: Readonly<Record<string, RawValue>>): Row {
  let decode = rowDecoders.get(table);
  if (!decode) rowDecoders.set(table, (decode = rowDecoderOf(table)));
  return decode(raw);
}

function rowDecoderOf({ columns }: Table): DecodeRow {
  const names = columns.map(({ name }) => name);
  const decode = columns.map((column) => decoderOf(column));
  return (raw) => {
    const row: Record<string, Value> = {};
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      const value = raw[name];
      row[name] = value === null ? null : (decode[index] as Decode)(value);
    }
    return row;
  };
}

function decoderOf(column: Column): Decode {
  let decode = decoders.get(column);
  if (!decode) decoders.set(column, (decode = newDecoder(column)));
  return decode;
}

function newDecoder(column: Column): Decode {
  switch (column.kind) {
    case 'integer': {
      const width = column.type.includes('zerofill') ? Number(/\((\d+)\)/.exec(column.type)?.[1] ?? 0) : 0;
      return width === 0 ? String : (raw) => String(raw).padStart(width, '0');
    }
    case 'float':
    case 'double':
      return (raw) => printDouble(Number(raw));
    case 'year':
      // The log counts from 1900 and 0 is the year 0000; 1900 itself is no YEAR.
      return (raw) => (Number(raw) === 1900 ? '0000' : String(raw));
    case 'time':
      return (raw) => decodeTime(String(raw));
    case 'timestamp':
      return (raw) => decodeTimestamp(String(raw));
    case 'text':
      return (raw) => (raw instanceof Uint8Array ? asText(raw, column.charset) : String(raw));
    case 'enum':
    case 'set':
      // An ENUM that was given a value it does not have holds the empty string, at index 0.
      return (raw) => String(raw ?? '');
    case 'json':
      return (raw) => (raw instanceof Uint8Array ? printJson(raw) : String(raw));
    default:
      return (raw) => (raw instanceof Uint8Array ? raw : String(raw));
  }
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
