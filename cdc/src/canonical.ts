import type { Value } from '@strangler/contracts';
import type { Column } from './column.js';

/** One text for all the ways a value of the target's column can be written, so that a mapped value can be compared with what the target prints. */
export function canonical(value: Value, column: Column): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) {
    // BINARY(n) is padded with zeros on the right, BIT(n) on the left.
    const hex = Buffer.from(value).toString('hex');
    return column.kind === 'bit'
      ? hex.replace(/^(00)+/, '')
      : column.type.startsWith('binary')
        ? hex.replace(/(00)+$/, '')
        : hex;
  }
  switch (column.kind) {
    case 'integer':
    case 'decimal':
    case 'year':
      return plainNumber(value);
    case 'float':
      return String(Math.fround(Number(value)));
    case 'double':
      return String(Number(value));
    case 'datetime':
    case 'timestamp':
    case 'time':
      return plainTime(value);
    case 'json':
      return canonicalJson(value);
    case 'set':
      // Printed in the order of the declaration, which may be another one on the other side.
      return value.split(',').toSorted().join(',');
    case 'bytes':
      return Buffer.from(value, 'utf8').toString('hex');
    case 'bit':
      return bitsOf(value);
    case 'text':
      return column.type.startsWith('char') ? value.replace(/ +$/, '') : value;
    default:
      return value;
  }
}

/** A number in a BIT column as the bytes it is printed as, without the leading ones that are zero. */
function bitsOf(digits: string): string {
  if (!/^\d+$/.test(digits) || /^0+$/.test(digits)) return digits.replace(/^0+$/, '');
  const hex = BigInt(digits).toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function plainNumber(text: string): string {
  const match = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const digits = fraction === '' ? whole : `${whole}.${fraction}`;
  return digits === '0' ? '0' : `${sign}${digits}`;
}

/** A DATE in a DATETIME column gets its midnight; digits of a second that are zero say nothing. */
const plainTime = (text: string): string =>
  (/^\d{4}-\d\d-\d\d$/.test(text) ? `${text} 00:00:00` : text)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');

/** MySQL orders the keys of an object and writes blanks; the value is the same. */
function canonicalJson(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text, exact)));
  } catch {
    return text;
  }
}

/** Whole numbers of 64 bits stay what they are; all others a server may keep as a DOUBLE. */
function exact(_: string, value: unknown, { source = '' }: { readonly source?: string } = {}): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d{1,20}$/.test(source)) return value;
  const whole = BigInt(source);
  return whole >= -(2n ** 63n) && whole < 2n ** 64n ? `\u0000${whole}` : value;
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
      : value;
