import type { Value } from '@strangler/contracts';
import type { Column } from './column.js';
import { decodeValue } from './decode.js';
import { valueNotCarried } from './errors.js';

/** A value of a Debezium event; numbers are the text they were written as. */
export type EventValue = string | boolean | null | undefined;

const MICROS = 1_000_000n;
const DAY = 86_400_000;

/**
 * A value as Debezium writes it with the settings of connector-config.ts becomes the text the database prints, byte for byte what the binlog source makes of it.
 * Throws VALUE_NOT_CARRIED for what Debezium has lost. Pure.
 */
export function decodeEventValue(table: string, column: Column, raw: EventValue): Value {
  const lost = (reason: string) => valueNotCarried(table, column.name, reason);
  if (raw === undefined) throw lost('the event does not have it');
  if (raw === null) {
    if (!column.nullable) throw lost('NULL where the column allows none');
    return null;
  }
  if (typeof raw === 'boolean') {
    if (column.kind === 'bit') return Uint8Array.of(raw ? 1 : 0);
    throw lost(
      'any number that is not 0 becomes true, because the column was created as BOOLEAN while the connector ran',
    );
  }
  switch (column.kind) {
    case 'integer':
      return decodeValue(column, /^bigint\b.*\bunsigned/.test(column.type) ? unscaled(raw) : raw);
    case 'decimal':
      return raw;
    case 'float':
      // It may come with the digits of a single or of a double: both are the same single.
      return decodeValue(column, Math.fround(Number(raw)));
    case 'double':
    case 'year':
      return decodeValue(column, Number(raw));
    case 'date':
      return new Date(Number(raw) * DAY).toISOString().slice(0, 10);
    case 'datetime':
      return dateTime(column, raw);
    case 'timestamp':
      return timestamp(column, raw);
    case 'time':
      return time(column, raw);
    case 'text':
    case 'enum':
    case 'set':
      // Five bytes of latin1 have no letter in Java's table of it; no other value of these character sets holds this one.
      if ((column.charset === 'latin1' || column.charset === 'ascii') && raw.includes('\u{fffd}'))
        throw lost(`a letter of ${column.charset} that Java does not have`);
      // Debezium keeps labels in a list with commas, and leaves the mark of a comma within one in it.
      return column.kind === 'enum' ? raw.replaceAll(String.raw`\,`, ',') : raw;
    case 'bytes':
      return Uint8Array.from(Buffer.from(raw, 'base64'));
    case 'bit':
      return Uint8Array.from(Buffer.from(raw, 'base64').toReversed());
    // JSON of MySQL: without the server's spaces, and times and decimals within it print as other texts.
    default:
      throw lost(`it is a "${column.type}"`);
  }
}

/** A `Decimal` of Kafka Connect without digits behind the point: the bytes of a two's complement, highest first. */
function unscaled(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return String(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex') || '0'}`)));
}

const digitsOf = (column: Column): number => Number(/\((\d)\)/.exec(column.type)?.[1] ?? 0);
const fraction = (column: Column, micros: bigint): string => {
  const digits = digitsOf(column);
  return digits === 0 ? '' : `.${String(micros).padStart(6, '0').slice(0, digits)}`;
};

/** Milliseconds up to three digits of a second, microseconds above. */
function dateTime(column: Column, raw: string): string {
  const micros = digitsOf(column) <= 3 ? BigInt(raw) * 1_000n : BigInt(raw);
  const rest = ((micros % MICROS) + MICROS) % MICROS;
  const moment = new Date(Number((micros - rest) / 1_000n));
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}${fraction(column, rest)}`;
}

function timestamp(column: Column, raw: string): string {
  const [whole = '', digits = ''] = raw.replace(/Z$/, '').split('.');
  const seconds = whole.replace('T', ' ');
  const micros = BigInt(digits.padEnd(6, '0').slice(0, 6));
  // The second 0 is no TIMESTAMP: it is what becomes of the zero date.
  const isZero = seconds === '1970-01-01 00:00:00';
  return `${isZero ? '0000-00-00 00:00:00' : seconds}${fraction(column, micros)}`;
}

function time(column: Column, raw: string): string {
  const micros = BigInt(raw);
  const size = micros < 0n ? -micros : micros;
  const seconds = size / MICROS;
  const two = (part: bigint) => String(part).padStart(2, '0');
  return `${micros < 0n ? '-' : ''}${two(seconds / 3_600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fraction(column, size % MICROS)}`;
}
