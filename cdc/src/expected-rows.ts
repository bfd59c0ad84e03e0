import type { Row, Value } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import type { Shadow } from './assembly.js';
import { canonical } from './canonical.js';
import { expectedOf, targetKeyText } from './compare-rows.js';
import type { MappedRow } from './map.js';
import { keyIdOf, type Parked } from './parking-lot.js';
import { isOneOf, quoted, readRows } from './sql.js';
import { columnOf } from './table.js';
import type { TablePair } from './table-pair.js';

/** Undefined: the row cannot be mapped, so that no target row could be right; its key is parked, or will be. */
export type Expected = (row: Row) => MappedRow | undefined;

type Given = (row: Row, key: Row) => Row | undefined;

/**
 * What the mapping asks for, of rows of the source. What comes from other tables is read from these, and not from what is kept of them beside the target.
 */
export async function expectedRows(
  source: Connection,
  pair: TablePair,
  rows: readonly Row[],
): Promise<Expected> {
  const plain: Expected = (row) => expectedOf(pair, row);
  if (!pair.assembly || rows.length === 0) return plain;
  const givers: Given[] = [];
  for (const part of pair.assembly.shadows)
    if (part.shadow) givers.push(await giverOf(source, pair, { ...part, shadow: part.shadow }, rows));
  return (row) => {
    const mapped = plain(row);
    if (!mapped) return undefined;
    const columns: Row[] = [];
    for (const given of givers) {
      const more = given(row, mapped.key);
      if (!more) return undefined;
      columns.push(more);
    }
    return { ...mapped, columns: Object.assign({}, mapped.columns, ...columns) as Row };
  };
}

type ShadowPair = TablePair & { readonly shadow: Shadow };

async function giverOf(
  source: Connection,
  anchor: TablePair,
  pair: ShadowPair,
  rows: readonly Row[],
): Promise<Given> {
  const { made } = pair.shadow;
  if (made.kind === 'asked') return () => ({});
  if (made.kind === 'lookup') {
    const { column, key, value } = made.lookup;
    const asked = rows.map((row): Row => ({ [key]: row[column] ?? null })).filter((row) => row[key] !== null);
    const found =
      asked.length === 0
        ? []
        : await readRows(source, pair.source, [key, value], `WHERE ${isOneOf(asked, pair.source)}`);
    const values = byValue(pair, key, found);
    return (row) => ({ [made.column]: values(row[column] ?? null)?.[value] ?? null });
  }
  // Rows of the other table by the key of the target.
  const asked = rows.map((row): Row => {
    const key = anchor.map.keyOf(row);
    return Object.fromEntries(
      Object.entries(made.mapping.key).map(([name, column]) => [column, key[name] ?? null]),
    );
  });
  const keyOf = (row: Row): Row =>
    Object.fromEntries(Object.entries(made.mapping.key).map(([name, column]) => [name, row[column] ?? null]));
  const order =
    made.kind === 'list'
      ? ` ORDER BY ${[made.list.order, ...pair.source.primaryKey].map((name) => quoted(name)).join(', ')}`
      : '';
  const found = await readRows(
    source,
    pair.source,
    pair.map.reads,
    `WHERE ${isOneOf(asked, pair.source)}${order}`,
  );
  const byKey = new Map<string, Row[]>();
  for (const row of found) {
    const text = targetKeyText(anchor, keyOf(row));
    const of = byKey.get(text);
    if (of) of.push(row);
    else byKey.set(text, [row]);
  }
  if (made.kind === 'list')
    return (_row, key) => {
      const items = (byKey.get(targetKeyText(anchor, key)) ?? []).map((row) => row[made.list.item]);
      const list = items.length > 0 ? items.join(made.list.separator) : valueOf(made.list.absent);
      return { [made.column]: list };
    };
  const names = Object.keys(made.part.columns);
  return (_row, key) => {
    const row = byKey.get(targetKeyText(anchor, key))?.[0];
    if (!row) return Object.fromEntries(names.map((name) => [name, valueOf(made.part.absent[name] ?? null)]));
    const mapped = pair.map.map(row);
    if (!mapped.ok) return undefined;
    return Object.fromEntries(names.map((name) => [name, mapped.row.columns[name] ?? null]));
  };
}

const valueOf = (absent: string | number | boolean | null): string | null =>
  typeof absent === 'boolean' ? (absent ? '1' : '0') : absent === null ? null : String(absent);

/** The row that has a value, as the collation of its column sees it: the very same text before one in another case, and that before one with other accents. */
function byValue(pair: TablePair, name: string, rows: readonly Row[]): (value: Value) => Row | undefined {
  const column = columnOf(pair.source, name);
  const exact = (value: Value) => (column ? (canonical(value, column) ?? '') : String(value));
  const steps = [
    exact,
    (value: Value) => exact(value).toLowerCase().replace(/ +$/, ''),
    (value: Value) =>
      exact(value).normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replace(/ +$/, ''),
  ].map((text) => ({ text, rows: new Map(rows.map((row) => [text(row[name] ?? null), row])) }));
  const isExact = !column?.collation || column.collation.endsWith('_bin');
  return (value) => {
    if (value === null) return undefined;
    for (const { text, rows: by } of isExact ? steps.slice(0, 1) : steps) {
      const found = by.get(text(value));
      if (found) return found;
    }
    return undefined;
  };
}

/** Whether a key waits in the parking lot, or a row of another table that gives to it, or may. */
export function isParked(pair: TablePair, key: Row, parked: ReadonlyMap<string, Parked>): boolean {
  if (parked.size === 0) return false;
  if (parked.has(keyIdOf(pair, key))) return true;
  return (pair.assembly?.shadows ?? []).some((part) =>
    part.shadow?.isKey && part.shadow.askedBy === undefined
      ? parked.has(keyIdOf(part, key))
      : [...parked.values()].some(({ table }) => table === part.target.name),
  );
}
