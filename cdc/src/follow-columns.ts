import { baseTypeOf, type Column } from './column.js';
import { columnChanged, columnGone, columnTypeUnknown } from './errors.js';
import { columnOf, type Table } from './table.js';

/**
 * Throws when the table as it is now can no longer give what the mapping reads, or when the statement may have changed values that
 * are there: it logs no rows, so the target would keep the old ones.
 */
export function assertFollows(
  before: Table | undefined,
  now: Table,
  columns: readonly string[],
  statement = '',
): void {
  for (const name of columns) {
    const column = columnOf(now, name);
    if (!column) throw columnGone(now.name, name);
    if (column.kind === 'unsupported') throw columnTypeUnknown(now.name, name, column.type);
    const old = before && columnOf(before, name);
    if (old && !keepsValues(old, column)) throw columnChanged(now.name, name, old.type, column.type);
    if (before && isReplaced(name, statement)) throw columnChanged(now.name, name, column.type, column.type);
  }
  if (before && before.primaryKey.join() !== now.primaryKey.join())
    throw columnChanged(now.name, now.primaryKey.join(', '), 'primary key', 'primary key');
}

const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A column of the same name can be another one: dropped and added, or renamed away and to, in one statement. */
const isReplaced = (name: string, statement: string): boolean =>
  new RegExp(
    `\\b(?:drop|rename)\\s+(?:column\\s+)?(?:if\\s+exists\\s+)?\`?${escaped(name)}\`?(?![\\w\`])|\\bchange\\s+(?:column\\s+)?(?:if\\s+exists\\s+)?\`?${escaped(name)}\`?\\s+(?!\`?${escaped(name)}\`?\\s)`,
    'i',
  ).test(statement);

const WIDTHS: Readonly<Record<string, number>> = {
  tinyint: 1,
  smallint: 2,
  mediumint: 3,
  int: 4,
  bigint: 8,
  tinytext: 1,
  text: 2,
  mediumtext: 3,
  longtext: 4,
  tinyblob: 1,
  blob: 2,
  mediumblob: 3,
  longblob: 4,
};
const numbersOf = (type: string): readonly number[] =>
  (/\(([\d,]+)\)/.exec(type)?.[1] ?? '').split(',').filter(Boolean).map(Number);

/** Whether every value of the old declaration is the same value in the new one. A wider column keeps them, a narrower one may not. */
function keepsValues(old: Column, now: Column): boolean {
  const [from, to] = [baseTypeOf(old.type), baseTypeOf(now.type)];
  if (old.nullable && !now.nullable) return false;
  if (old.type === now.type && old.charset === now.charset) return true;
  if (old.kind !== now.kind || old.type.includes('zerofill') !== now.type.includes('zerofill')) return false;
  switch (old.kind) {
    case 'integer':
      return (
        old.type.includes('unsigned') === now.type.includes('unsigned') &&
        (WIDTHS[to] ?? 0) >= (WIDTHS[from] ?? 0)
      );
    case 'decimal': {
      const [[fromDigits = 10, fromScale = 0], [toDigits = 10, toScale = 0]] = [
        numbersOf(old.type),
        numbersOf(now.type),
      ];
      return (
        toScale >= fromScale &&
        toDigits - toScale >= fromDigits - fromScale &&
        old.type.includes('unsigned') === now.type.includes('unsigned')
      );
    }
    case 'enum':
    case 'set':
      return old.labels.every((label, index) => now.labels[index] === label);
    case 'text':
      return (
        (old.charset === now.charset || now.charset === 'utf8mb4') &&
        isAsLong(from, to, old, now) &&
        (from === 'char') === (to === 'char')
      );
    case 'bytes':
      return from !== 'binary' && to !== 'binary' && isAsLong(from, to, old, now);
    default:
      return (
        numbersOf(now.type).length > 0 &&
        from === to &&
        (numbersOf(now.type)[0] ?? 0) >= (numbersOf(old.type)[0] ?? 0)
      );
  }
}

/** Lengths are compared within one family; from VARCHAR to TEXT only where 65,535 bytes hold any of it. */
function isAsLong(from: string, to: string, old: Column, now: Column): boolean {
  const [oldWidth, newWidth] = [WIDTHS[from], WIDTHS[to]];
  if (oldWidth !== undefined && newWidth !== undefined) return newWidth >= oldWidth;
  if (oldWidth === undefined && newWidth !== undefined) return newWidth >= 2;
  return oldWidth === undefined && (numbersOf(now.type)[0] ?? 0) >= (numbersOf(old.type)[0] ?? 0);
}
