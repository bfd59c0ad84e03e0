import type { Row, Value } from '@strangler/contracts';
import { escape, escapeId } from 'mysql2';
import type { RowDataPacket, TypeCastField } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { type ColumnKind, isBytes } from './column.js';
import { columnOf, type Table } from './table.js';

export const quoted = (...names: string[]): string => names.map((name) => escapeId(name, true)).join('.');
export const tableName = (table: Table): string => quoted(table.database, table.name);

const BARE_KINDS: ReadonlySet<ColumnKind> = new Set(['integer', 'decimal', 'year', 'bit'] as const);

/** A value as it is written into a statement for a column. Numbers stay bare: a quoted one is compared as a DOUBLE in places, and is bytes to a BIT. */
export function literal(value: Value, table: Table, column: string): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array)
    return value.length === 0 ? "''" : `X'${Buffer.from(value).toString('hex')}'`;
  const kind = columnOf(table, column)?.kind;
  return kind !== undefined && BARE_KINDS.has(kind) && /^-?\d+(\.\d+)?$/.test(value) ? value : escape(value);
}

/** `(1, 'x', NULL)` of the named columns, as `literal` writes them; made once for many rows. */
export function tuplesOf(table: Table, names: readonly string[]): (row: Row) => string {
  const columns = names.map((name) => {
    const kind = columnOf(table, name)?.kind;
    return { name, isBare: kind !== undefined && BARE_KINDS.has(kind) };
  });
  return (row) => {
    let tuple = '(';
    for (const { name, isBare } of columns) {
      const value = row[name] ?? null;
      if (tuple.length > 1) tuple += ', ';
      tuple +=
        value === null
          ? 'NULL'
          : typeof value !== 'string'
            ? literal(value, table, name)
            : isBare && /^-?\d+(\.\d+)?$/.test(value)
              ? value
              : escape(value);
    }
    return `${tuple})`;
  };
}

/** `(a = 1 AND b = 'x')`; a column that may be NULL is compared as NULL. */
export const matches = (row: Row, table: Table): string =>
  `(${Object.entries(row)
    .map(
      ([name, value]) => `${quoted(name)} ${value === null ? 'IS NULL' : `= ${literal(value, table, name)}`}`,
    )
    .join(' AND ')})`;

/** Rows whose columns are one of `keys`, all of the same columns. */
export function isOneOf(keys: readonly Row[], table: Table): string {
  const names = Object.keys(keys[0] ?? {});
  const tuple = (key: Row) => names.map((name) => literal(key[name] ?? null, table, name)).join(', ');
  if (names.length === 1) return `${quoted(names[0] as string)} IN (${keys.map(tuple).join(', ')})`;
  return `(${names.map((name) => quoted(name)).join(', ')}) IN (${keys.map((key) => `(${tuple(key)})`).join(', ')})`;
}

/** Rows behind `after` in the order of the key columns; everything when `after` is null. */
export function isBehind(after: Row | null, names: readonly string[], table: Table): string {
  if (after === null) return 'TRUE';
  const at = (name: string) => literal(after[name] ?? null, table, name);
  const steps = names.map(
    (name, index) =>
      `(${[...names.slice(0, index).map((equal) => `${quoted(equal)} = ${at(equal)}`), `${quoted(name)} > ${at(name)}`].join(' AND ')})`,
  );
  // The first condition lets the index be used, which OR alone would not.
  return names.length === 1
    ? (steps[0] as string)
    : `${quoted(names[0] as string)} >= ${at(names[0] as string)} AND (${steps.join(' OR ')})`;
}

/** Rows in key order up to `last`, itself included. */
export function isUpTo(last: Row, names: readonly string[], table: Table): string {
  const first = names[0] as string;
  // For an index it is the bound of the first column that counts.
  return `${quoted(first)} <= ${literal(last[first] ?? null, table, first)}${names.length === 1 ? '' : ` AND NOT (${isBehind(last, names, table)})`}`;
}

/** Values in the texts that change events have. */
export function selectOf(table: Table, names: readonly string[], rest: string): string {
  const list = names.map((name) =>
    columnOf(table, name)?.kind === 'float'
      ? `CAST(${quoted(name)} AS DOUBLE) AS ${quoted(name)}`
      : quoted(name),
  );
  return `SELECT ${list.join(', ')} FROM ${tableName(table)} ${rest}`;
}

/** Reads rows in the canonical form of change events. Columns that are not there are not asked for. */
export async function readRows(
  connection: Connection,
  table: Table,
  names: readonly string[],
  rest: string,
): Promise<Row[]> {
  const bytes = new Set(table.columns.filter(isBytes).map((column) => column.name));
  const [rows] = await connection.query<RowDataPacket[]>({
    sql: selectOf(table, names, rest),
    typeCast: (field: TypeCastField) => (bytes.has(field.name) ? field.buffer() : field.string('utf8')),
  });
  return rows;
}
