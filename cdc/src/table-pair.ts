import type { Row, TableMapping } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import type { Assembly, Shadow } from './assembly.js';
import type { Database } from './connect.js';
import { tableUnreadable } from './errors.js';
import { loadFunctions } from './load-functions.js';
import { compileMapping, type RowMap } from './map.js';
import { type MergeRules, mergeRulesOf } from './merge-rules.js';
import { readTable, type Table } from './table.js';

/** One mapping of the plan with the tables it names, as they stand. */
export type TablePair = {
  /** Under which its copy is kept and told: of each migration only once. */
  readonly name: string;
  readonly map: RowMap;
  readonly source: Table;
  readonly target: Table;
  /** Set where both sides write the table. */
  readonly merge?: MergeRules | undefined;
  /** Set where columns of the target come from other tables of the source. */
  readonly assembly?: Assembly | undefined;
  /** Set where the target is not a table of the service, but kept for one. */
  readonly shadow?: Shadow | undefined;
  /** Target tables of the splits, in the order of the mapping. */
  readonly children: readonly Table[];
  /** How the children of split `index` name a parent that has this target key. */
  parentOf(index: number, key: Row): Row;
  /** Columns of split `index` that the mapping writes. */
  childColumns(index: number): readonly string[];
};

/** Throws TABLE_UNREADABLE. */
export async function tableNamed(connection: Connection, database: Database, name: string): Promise<Table> {
  const table = await readTable(connection, database.schema, name);
  if (!table) throw tableUnreadable(`${database.schema}.${name}`);
  return table;
}

/** Throws TABLE_UNREADABLE and FUNCTION_NOT_LOADED. */
export async function pairOf(
  name: string,
  mapping: TableMapping,
  from: Database,
  source: Connection,
  to: Database,
  target: Connection,
): Promise<TablePair> {
  const splits = mapping.split;
  const targetOf = new Map(
    Object.entries(mapping.key).map(([column, sourceColumn]) => [sourceColumn, column]),
  );
  const functions = await loadFunctions(mapping);
  const written = await tableNamed(target, to, mapping.to);
  const origin = await tableNamed(source, from, mapping.from);
  const map = compileMapping(mapping, { functions, source: origin, target: written });
  return {
    name,
    map,
    source: origin,
    target: written,
    merge: mergeRulesOf(mapping, map, written),
    children: await Promise.all(splits.map((split) => tableNamed(target, to, split.to))),
    parentOf: (index, key) =>
      Object.fromEntries(
        Object.entries(splits[index]?.key ?? {}).map(([column, sourceColumn]) => [
          column,
          key[targetOf.get(sourceColumn) ?? ''] ?? null,
        ]),
      ),
    childColumns(index) {
      const split = splits[index];
      return split
        ? [...Object.keys(split.key), ...(split.position === undefined ? [] : [split.position]), split.item]
        : [];
    },
  };
}
