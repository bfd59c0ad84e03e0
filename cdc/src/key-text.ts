import type { Row, Value } from '@strangler/contracts';
import { isBytes } from './column.js';
import { keyInvalid } from './errors.js';
import { columnOf, type Table } from './table.js';

/** A key as it is kept: a JSON list of its values in the order of `names`, bytes in hexadecimal digits. */
export const printKey = (row: Row, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => {
      const value = row[name] ?? null;
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
    }),
  );

export function parseKey(text: string, names: readonly string[], table: Table): Row {
  const values = JSON.parse(text) as (string | null)[];
  return Object.fromEntries(names.map((name, index) => [name, valueOf(values[index] ?? null, name, table)]));
}

function valueOf(text: string | null, name: string, table: Table): Value {
  const column = columnOf(table, name);
  return text !== null && column && isBytes(column) ? Buffer.from(text, 'hex') : text;
}

/**
 * A key as a person writes it becomes the one that is kept: the value of a single column as it is, or a JSON list of all of them. Bytes are written in
 * hexadecimal digits. Throws KEY_INVALID.
 */
export function keyOfText(text: string, table: Table): string {
  const names = table.primaryKey;
  let values: unknown[] = [text];
  if (names.length > 1 || text.startsWith('['))
    try {
      const parsed: unknown = JSON.parse(text);
      values = Array.isArray(parsed) ? parsed : [];
    } catch {
      values = names.length > 1 ? [] : [text];
    }
  const texts = values.map((value) => (typeof value === 'number' ? String(value) : value));
  const isRight = (value: unknown, index: number): boolean => {
    const column = columnOf(table, names[index] ?? '');
    if (typeof value !== 'string' || !column) return false;
    if (isBytes(column)) return /^([0-9a-f]{2})*$/i.test(value);
    return column.kind === 'integer' || column.kind === 'decimal' ? /^-?\d+(\.\d+)?$/.test(value) : true;
  };
  if (texts.length !== names.length || !texts.every(isRight)) throw keyInvalid(text, table.name, names);
  return JSON.stringify(texts);
}
