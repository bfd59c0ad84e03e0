import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { type Found, targetKeyText } from './compare-rows.js';
import { isReversed } from './reverse.js';
import { isOneOf, readRows } from './sql.js';
import type { TablePair } from './table-pair.js';

/** What the target holds for keys of it, children included. */
export async function readTarget(
  target: Connection,
  pair: TablePair,
  keys: readonly Row[],
): Promise<(key: Row) => Found> {
  const names = [...pair.map.writes, ...(pair.assembly?.columns ?? [])];
  const rows = await readRows(target, pair.target, names, `WHERE ${isOneOf(keys, pair.target)}`);
  const byKey = new Map(rows.map((row) => [targetKeyText(pair, row), row]));
  const children = await Promise.all(
    pair.children.map(async (child, index) => {
      const found = await readRows(
        target,
        child,
        pair.childColumns(index),
        `WHERE ${isOneOf(
          keys.map((key) => pair.parentOf(index, key)),
          child,
        )}`,
      );
      const byParent = new Map<string, Row[]>();
      for (const row of found) {
        const parent = targetKeyText(pair, parentKey(pair, index, row));
        byParent.set(parent, [...(byParent.get(parent) ?? []), row]);
      }
      return byParent;
    }),
  );
  return (key) => {
    const text = targetKeyText(pair, key);
    return { row: byKey.get(text), children: children.map((byParent) => byParent.get(text) ?? []) };
  };
}

/** The parent's target key of a child row. */
export function parentKey(pair: TablePair, index: number, child: Row): Row {
  const columnOfSource = new Map(
    Object.entries(pair.map.mapping.split[index]?.key ?? {}).map(([column, source]) => [source, column]),
  );
  const key = Object.entries(pair.map.mapping.key).map(
    ([column, source]) => [column, child[columnOfSource.get(source) ?? ''] ?? null] as const,
  );
  return { ...Object.fromEntries(key), ...pair.map.own };
}

const sourceKey = (pair: TablePair, key: Row): Row =>
  Object.fromEntries(
    Object.entries(pair.map.mapping.key).map(([column, source]) => [source, key[column] ?? null]),
  );

/** Source columns that the mapping of a row asks for, also where it looks them up. */
export const readsOf = ({ map }: TablePair): readonly string[] => [
  ...new Set([...map.reads, ...Object.values(map.mapping.lookups ?? {}).map(({ column }) => column)]),
];

/** Source rows of target keys, those alone that the mapping takes. */
export async function readSource(source: Connection, pair: TablePair, keys: readonly Row[]): Promise<Row[]> {
  const rows = await readRows(
    source,
    pair.source,
    readsOf(pair),
    `WHERE ${isOneOf(
      keys.map((key) => sourceKey(pair, key)),
      pair.source,
    )}`,
  );
  return rows.filter(pair.map.takes);
}

/** Target keys of those that have a source row. */
export async function readSourceKeys(
  source: Connection,
  pair: TablePair,
  keys: readonly Row[],
): Promise<Row[]> {
  const { mapping, reads } = pair.map;
  // Whether a row comes back at all may hang on any of its columns.
  const asked = isReversed(mapping) ? reads : Object.keys(mapping.where ?? {});
  const rows = await readRows(
    source,
    pair.source,
    [...new Set([...Object.values(mapping.key), ...asked])],
    `WHERE ${isOneOf(
      keys.map((key) => sourceKey(pair, key)),
      pair.source,
    )}`,
  );
  return rows.filter(pair.map.takes).map(pair.map.keyOf);
}
