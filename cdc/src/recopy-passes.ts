import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { ownRows } from './own-rows.js';
import { parentKey } from './read-pair.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

/** A table whose keys one pass goes through. The last pass is that of the source. */
export type Pass = {
  readonly table: Table;
  readonly connection: Connection;
  /** Its columns for the source's primary key, in that order. */
  readonly names: readonly string[];
  readonly keyOf: (row: Row) => Row;
  readonly isSource: boolean;
  /** Condition of the rows of the table that are meant. */
  readonly where: string;
};

/** First what the target has too many, so that a unique value of theirs is free for the row it belongs to. */
export function passesOf(pair: TablePair, source: Connection, target: Connection): readonly Pass[] {
  const key = pair.source.primaryKey;
  const columnOf = new Map(Object.entries(pair.map.mapping.key).map(([to, from]) => [from, to]));
  const targetNames = key.map((name) => columnOf.get(name) ?? name);
  const children = pair.children.flatMap((table, index): Pass[] => {
    const columns = new Map(
      Object.entries(pair.map.mapping.split[index]?.key ?? {}).map(([to, from]) => [from, to]),
    );
    const names = key.flatMap((name) => columns.get(name) ?? []);
    return names.length < key.length
      ? []
      : [
          {
            table,
            connection: target,
            names,
            keyOf: (row) => parentKey(pair, index, row),
            isSource: false,
            where: 'TRUE',
          },
        ];
  });
  const keyNames = Object.keys(pair.map.mapping.key);
  const { own } = pair.map;
  return [
    {
      table: pair.target,
      connection: target,
      names: targetNames,
      keyOf: (row) => ({ ...Object.fromEntries(keyNames.map((name) => [name, row[name] ?? null])), ...own }),
      isSource: false,
      where: ownRows(pair),
    },
    ...children,
    {
      table: pair.source,
      connection: source,
      names: key,
      keyOf: pair.map.keyOf,
      isSource: true,
      where: 'TRUE',
    },
  ];
}
