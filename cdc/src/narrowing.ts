import type { Column } from './column.js';
import { baseTypeOf } from './column.js';

const numbersOf = (type: string): readonly number[] =>
  (/\(([\d,]+)\)/.exec(type)?.[1] ?? '').split(',').filter(Boolean).map(Number);
const digitsOf = (column: Column): readonly [whole: number, fraction: number] => {
  const [all = 10, fraction = 0] = numbersOf(column.type);
  return [all - fraction, fraction];
};
const fractionOf = (column: Column): number => numbersOf(column.type)[0] ?? 0;
const TIMES = new Set(['datetime', 'timestamp', 'time']);
/** Whole numbers of these have at most the digits that a FLOAT or DOUBLE keeps. */
const FITS_FLOAT = new Set(['tinyint', 'smallint', 'mediumint']);

/**
 * What a server takes away from values of the source's column without an error, also in strict mode, when they are written into the target's: it rounds
 * digits, cuts a time off a date and blanks off a CHAR. Undefined when nothing; whatever is refused with an error is not told here.
 */
export function lossOf(source: Column, target: Column): string | undefined {
  const [from, to] = [source.kind, target.kind];
  const isSourceBinaryFraction = from === 'float' || from === 'double';
  if (to === 'integer' && (isSourceBinaryFraction || (from === 'decimal' && digitsOf(source)[1] > 0)))
    return 'digits behind the point';
  if (to === 'decimal') {
    if (isSourceBinaryFraction) return 'digits';
    if (from === 'decimal' && digitsOf(target)[1] < digitsOf(source)[1]) return 'digits behind the point';
  }
  if (to === 'float' && (from === 'double' || from === 'decimal')) return 'digits';
  if (to === 'float' && from === 'integer' && !FITS_FLOAT.has(baseTypeOf(source.type))) return 'digits';
  if (to === 'double' && from === 'decimal' && digitsOf(source)[0] + digitsOf(source)[1] > 15)
    return 'digits';
  if (to === 'double' && from === 'integer' && baseTypeOf(source.type) === 'bigint') return 'digits';
  if (TIMES.has(from) && TIMES.has(to) && fractionOf(target) < fractionOf(source))
    return 'fractions of a second';
  if ((from === 'datetime' || from === 'timestamp') && to === 'date') return 'the time of day';
  if ((from === 'datetime' || from === 'timestamp') && to === 'time') return 'the date';
  if (from === 'text' && baseTypeOf(source.type) !== 'char' && baseTypeOf(target.type) === 'char')
    return 'blanks at the end';
  if (from === 'bytes' && baseTypeOf(target.type) === 'binary' && source.type !== target.type)
    return 'where the bytes end, which it fills up with zeros';
  return undefined;
}

/** Collations that take a blank at the end as a character like any other. */
const isWithoutPadding = (collation: string): boolean =>
  /_0900_|nopad/.test(collation) || collation === 'binary';

/**
 * Whether two keys that the source tells apart are two keys in the target as well: the collation is the same, or the target's compares characters as they
 * are. Else one row would be written over another.
 */
export function keepsKeysApart(source: Column, target: Column): boolean {
  const [from, to] = [source.collation ?? null, target.collation ?? null];
  if (from === null || to === null || from === to) return true;
  if (!/_bin$|^binary$/.test(to)) return false;
  return isWithoutPadding(to) || !isWithoutPadding(from);
}
