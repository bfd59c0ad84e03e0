import type { Column } from './column.js';
import { quoted, tableName } from './sql.js';
import type { Table } from './table.js';

/** A statement that changes a table, wherever one is connected to. */
export const alter = (table: Table, change: string): string => `ALTER TABLE ${tableName(table)} ${change}`;

export const addKey = (columns: readonly string[]): string =>
  `ADD PRIMARY KEY (${columns.map((name) => quoted(name)).join(', ')})`;

export const addUnique = (columns: readonly string[]): string =>
  `ADD UNIQUE (${columns.map((name) => quoted(name)).join(', ')})`;

/**
 * A statement that changes one thing of a column and keeps the others: `changed` is handed all that stands behind its type now, from the blank on. None where
 * the table's definition could not be read.
 */
export function alterColumn(
  table: Table,
  column: Column,
  changed: (rest: string) => string,
): readonly string[] {
  const text = table.definition?.columns.get(column.name);
  if (text === undefined || !text.toLowerCase().startsWith(column.type.toLowerCase())) return [];
  return [alter(table, `MODIFY ${quoted(column.name)} ${changed(text.slice(column.type.length))}`)];
}

/** The rest of a column's definition with the character set and collation of another. */
export const collated = (rest: string, like: Column): string =>
  `CHARACTER SET ${like.charset} COLLATE ${like.collation}${rest.replace(/ CHARACTER SET \w+/, '').replace(/ COLLATE \w+/, '')}`;
