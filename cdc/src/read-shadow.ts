import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { keyText } from './map.js';
import { readSource } from './read-pair.js';
import { isOneOf, readRows } from './sql.js';
import type { TablePair } from './table-pair.js';

/** What a shadow should hold for some rows of the target, read from the source, and the keys of what it holds for them. */
export type ShadowRows = { readonly rows: readonly Row[]; readonly held: readonly Row[] };

/** Of target keys of the anchor. */
export async function readShadow(
  source: Connection,
  target: Connection,
  anchor: TablePair,
  pair: TablePair,
  keys: readonly Row[],
): Promise<ShadowRows> {
  const { shadow } = pair;
  if (!shadow) return { rows: [], held: [] };
  const columns = Object.entries(shadow.made.mapping.key);
  const asked = new Map<string, Row>();
  const ask = (row: Row) => {
    if (!Object.values(row).includes(null)) asked.set(keyText(row), row);
  };
  if (shadow.made.kind === 'lookup') {
    const { column } = shadow.made.lookup;
    for (const row of await readSource(source, anchor, keys))
      ask(Object.fromEntries(columns.map(([name]) => [name, row[column] ?? null])));
  } else for (const key of keys) ask(Object.fromEntries(columns.map(([name]) => [name, key[name] ?? null])));
  if (asked.size === 0) return { rows: [], held: [] };
  const wanted = [...asked.values()];
  const inSource = wanted.map((row): Row =>
    Object.fromEntries(columns.map(([name, column]) => [column, row[name] ?? null])),
  );
  const names = [...new Set([...pair.source.primaryKey, ...pair.map.reads])];
  const keyNames = Object.keys(pair.map.mapping.key);
  return {
    rows: await readRows(source, pair.source, names, `WHERE ${isOneOf(inSource, pair.source)}`),
    held: await readRows(target, pair.target, keyNames, `WHERE ${isOneOf(wanted, pair.target)}`),
  };
}
