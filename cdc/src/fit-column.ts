import type { Value } from '@strangler/contracts';
import type { Column } from './column.js';

/** Digits behind the point that a column keeps: of a number, or of a second. */
const fractions = new WeakMap<Column, number>();
function fractionOf(column: Column): number {
  const known = fractions.get(column);
  if (known !== undefined) return known;
  const places = Number(/\((?:\d+,)?(\d+)\)/.exec(column.type)?.[1] ?? 0);
  fractions.set(column, places);
  return places;
}

/**
 * Why a column would not hold a value as it is: because it takes something off without an error, or because nobody could read it there. The end of a
 * sentence that starts with the value's own column; undefined when it holds it, or refuses it by itself.
 */
export function unfitFor(value: Value, column: Column): string | undefined {
  if (value === null) return column.nullable ? undefined : 'is NULL, and the column takes none';
  if (typeof value !== 'string') return undefined;
  if (column.kind === 'text') return undefined;
  const wrong = (what: string) => `holds "${value.slice(0, 60)}", ${what} for a ${column.type}`;
  const [, , fraction = ''] = /^(-?\d+|.{10} .{8}|.{10})(?:\.(\d*))?$/.exec(value) ?? [];
  switch (column.kind) {
    case 'integer':
      if (!/^-?\d+(\.0*)?$/.test(value)) return wrong('which is no whole number');
      return column.type.includes('unsigned') && /^-.*[1-9]/.test(value)
        ? wrong('which is too low')
        : undefined;
    case 'decimal': {
      if (!/^-?\d+(\.\d*)?$/.test(value)) return wrong('which is no decimal number');
      const kept = column.type.includes(',') ? fractionOf(column) : 0;
      return /[1-9]/.test(fraction.slice(kept)) ? wrong('which has too many decimal places') : undefined;
    }
    case 'datetime':
    case 'timestamp':
      return /[1-9]/.test(fraction.slice(fractionOf(column))) ? wrong('which is too exact') : undefined;
    case 'date':
      return /^.{10}$/.test(value) || / 00:00:00(\.0*)?$/.test(value)
        ? undefined
        : wrong('which has a time of day');
    case 'enum':
      return column.labels.includes(value) ? undefined : wrong('which is no label');
    default:
      return undefined;
  }
}

/** What a column prints when a value was written into it; of an overlong one what a server keeps without an error. */
export function asPrinted(value: Value, column: Column | undefined): Value {
  if (typeof value !== 'string' || column === undefined) return value;
  if (column.kind === 'text' && !column.type.startsWith('char')) return value;
  const places = fractionOf(column);
  switch (column.kind) {
    case 'integer':
      return value.replace(/^(-?)0+(?=\d)/, '$1').replace(/^-0$/, '0');
    case 'decimal': {
      const match = /^(-?)0*(\d+)(?:\.(\d*))?$/.exec(value);
      if (!match) return value;
      const [, sign = '', whole = '', fraction = ''] = match;
      const kept = column.type.includes(',') ? places : 0;
      const digits = kept === 0 ? whole : `${whole}.${fraction.slice(0, kept).padEnd(kept, '0')}`;
      return /[1-9]/.test(digits) ? `${sign}${digits}` : digits;
    }
    case 'datetime':
    case 'timestamp': {
      const [, moment = value, fraction = ''] = /^(.{19})(?:\.(\d*))?$/.exec(value) ?? [];
      const whole = moment.length === 10 ? `${moment} 00:00:00` : moment;
      return places === 0 ? whole : `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`;
    }
    case 'date':
      return value.slice(0, 10);
    case 'text':
      return column.type.startsWith('char') ? value.replace(/ +$/, '') : value;
    case 'enum':
      return column.labels.find((label) => label.toLowerCase() === value.toLowerCase()) ?? value;
    default:
      return value;
  }
}
