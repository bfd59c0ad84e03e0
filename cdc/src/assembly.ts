import type { Row, Value } from '@strangler/contracts';
import { escape } from 'mysql2';
import { keyText } from './map.js';
import type { ShadowMapping } from './shadow-mappings.js';
import { ITEM, MATCH, PLACE, VALUE } from './shadow-mappings.js';
import { literal, quoted, tableName } from './sql.js';
import { columnOf, type Table } from './table.js';
import type { TablePair } from './table-pair.js';

/** How rows of an anchor are put together from the shadows of other source tables. */
export type Assembly = {
  /** The pair of the mapping itself: there is a row of the target where it has one. */
  readonly anchor: TablePair;
  readonly shadows: readonly TablePair[];
  /** Target columns that are put together. */
  readonly columns: readonly string[];
  /** What each UPDATE sets, so that columns of the anchor keep what came where they would tell the time of this change (ON UPDATE CURRENT_TIMESTAMP). */
  readonly kept: readonly string[];
  /** The statement that makes these columns what the shadows say, for rows of the target as `t`. */
  update(where: string): string;
  /** As `update`, reading the keys of those rows. */
  keys(where: string): string;
  /** `lacking` reads the keys of those rows that ask for something which is not there, where the plan does not let that be. */
  readonly unanswered: readonly {
    readonly column: string;
    readonly inTable: string;
    readonly lacking: (where: string) => string;
  }[];
  /** Rows of the target with these keys. */
  isOneOf(keys: readonly Row[]): string;
  /** Rows of the target that ask for one of these values. */
  asksFor(column: string, values: readonly Value[]): string;
};

/** How rows of a shadow say which rows of the target they belong to. */
export type Shadow = {
  readonly assembly: Assembly;
  readonly made: ShadowMapping;
  /** Its columns that say so. */
  readonly names: readonly string[];
  /** Whether these are its key, so that it need not be read for them. */
  readonly isKey: boolean;
  /** The column whose value is looked up in it; undefined: `names` are the key of the target. */
  readonly askedBy?: string;
};

/** Gives an anchor its assembly, and each of its shadows what it is for; in the order in which they are copied. */
export function assembled(
  plain: TablePair,
  made: readonly { readonly shadow: ShadowMapping; readonly pair: TablePair }[],
): readonly TablePair[] {
  const keyNames = Object.keys(plain.map.mapping.key);
  const target = tableName(plain.target);
  const shadows: TablePair[] = [];
  const asked = made.find(({ shadow }) => shadow.kind === 'asked');
  const joins: string[] = [];
  const sets: (readonly [column: string, value: string])[] = [];
  const unanswered: { readonly column: string; readonly inTable: string; readonly where: string }[] = [];
  const isOf = (alias: string) =>
    keyNames.map((name) => `${alias}.${quoted(name)} = t.${quoted(name)}`).join(' AND ');
  if (asked) joins.push(`LEFT JOIN ${tableName(asked.pair.target)} a ON ${isOf('a')}`);
  for (const [index, { shadow, pair }] of made.entries()) {
    const alias = `s${index}`;
    const table = tableName(pair.target);
    const column = (name: string) => `${alias}.${quoted(name)}`;
    const first = column(Object.keys(pair.map.mapping.key)[0] as string);
    const orElse = (value: string, absent: unknown) =>
      absent === undefined || absent === null ? value : `IF(${first} IS NULL, ${constant(absent)}, ${value})`;
    if (shadow.kind === 'part') {
      joins.push(`LEFT JOIN ${table} ${alias} ON ${isOf(alias)}`);
      for (const name of Object.keys(shadow.part.columns))
        sets.push([name, orElse(column(name), shadow.part.absent[name])]);
    }
    if (shadow.kind === 'lookup') {
      const value = `a.${quoted(shadow.column)}`;
      joins.push(`LEFT JOIN ${table} ${alias} ON ${column(MATCH)} = ${value}`);
      sets.push([shadow.column, column(VALUE)]);
      if (shadow.lookup.missing === 'refuse')
        unanswered.push({
          column: shadow.lookup.column,
          inTable: shadow.lookup.in,
          where: `${value} IS NOT NULL AND ${first} IS NULL`,
        });
    }
    if (shadow.kind === 'list') {
      const order = [PLACE, ...Object.keys(pair.map.mapping.key)].map(column).join(', ');
      const list = `(SELECT GROUP_CONCAT(${column(ITEM)} ORDER BY ${order} SEPARATOR ${escape(shadow.list.separator)}) FROM ${table} ${alias} WHERE ${isOf(alias)})`;
      const { absent } = shadow.list;
      sets.push([shadow.column, absent === null ? list : `COALESCE(${list}, ${constant(absent)})`]);
    }
  }
  const from = [`${target} t`, ...joins].join(' ');
  const kept = plain.map.writes
    .filter((name) => ['timestamp', 'datetime'].includes(columnOf(plain.target, name)?.kind ?? ''))
    .map((name) => `t.${quoted(name)} = t.${quoted(name)}`);
  const set = [...sets.map(([name, value]) => `t.${quoted(name)} = ${value}`), ...kept].join(', ');
  const keyList = keyNames.map((name) => `t.${quoted(name)}`).join(', ');
  const assembly: Assembly = {
    get anchor() {
      return anchor;
    },
    shadows,
    columns: sets.map(([name]) => name),
    kept,
    update: (where) => `UPDATE ${from} SET ${set} WHERE ${where}`,
    keys: (where) => `SELECT ${keyList} FROM ${from} WHERE ${where}`,
    unanswered: unanswered.map(({ column, inTable, where: lacks }) => ({
      column,
      inTable,
      lacking: (where) => `SELECT ${keyList} FROM ${from} WHERE ${where} AND ${lacks}`,
    })),
    isOneOf: (keys) =>
      keyNames.length === 1
        ? `${keyList} IN (${keys.map((key) => tuple(key, keyNames, plain.target)).join(', ')})`
        : `(${keyList}) IN (${keys.map((key) => `(${tuple(key, keyNames, plain.target)})`).join(', ')})`,
    asksFor: (column, values) =>
      `a.${quoted(column)} IN (${values.map((value) => literal(value, (asked as { pair: TablePair }).pair.target, column)).join(', ')})`,
  };
  const anchor: TablePair = { ...plain, assembly };
  for (const { shadow, pair } of made) {
    const names = Object.keys(shadow.mapping.key);
    const isKey = names.every((name) => name in pair.map.mapping.key);
    const askedBy = shadow.kind === 'lookup' ? { askedBy: shadow.column } : {};
    shadows.push({ ...pair, shadow: { assembly, made: shadow, names, isKey, ...askedBy } });
  }
  return [...shadows, anchor];
}

const tuple = (key: Row, names: readonly string[], table: Table): string =>
  names.map((name) => literal(key[name] ?? null, table, name)).join(', ');

const constant = (value: unknown): string =>
  typeof value === 'boolean'
    ? value
      ? '1'
      : '0'
    : typeof value === 'number'
      ? String(value)
      : escape(String(value));

/** Rows of which something has changed that others are put together from. */
export type Touched = {
  readonly keys: Map<string, Row>;
  /** Values that were looked up, by the column that asks for them. */
  readonly values: Map<string, Map<string, Value>>;
  /** A shadow was emptied. */
  isAll: boolean;
};

export const noneTouched = (): Touched => ({ keys: new Map(), values: new Map(), isAll: false });

/** Notes what a row of a shadow belongs to, by its columns that say so. */
export function touch(touched: Touched, shadow: Shadow, row: Row): void {
  const named = Object.fromEntries(shadow.names.map((name) => [name, row[name] ?? null]));
  if (Object.values(named).includes(null)) return;
  if (shadow.askedBy === undefined) {
    touched.keys.set(keyText(named), named);
    return;
  }
  const values = touched.values.get(shadow.askedBy) ?? new Map<string, Value>();
  touched.values.set(shadow.askedBy, values.set(keyText(named), named[MATCH] ?? null));
}

/** The key of the target that a source row of a shadow belongs to; null: whatever asks for it. */
export const anchorKeyOf = ({ made, askedBy }: Shadow, row: Row): Row | null =>
  askedBy === undefined
    ? Object.fromEntries(
        Object.entries(made.mapping.key).map(([name, source]) => [name, row[source] ?? null]),
      )
    : null;
