import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { readDefinition } from './definition.js';
import type { ParentsOf } from './parking-lot.js';
import type { TablePair } from './table-pair.js';

/**
 * Foreign keys that the target declares between mapped tables, by the primary key of the parent. Read from the tables' definitions, which every account sees that may read
 * the tables: MariaDB shows keys in information_schema only to those that may do more.
 */
export async function readParents(
  connection: Connection,
  schema: string,
  pairs: readonly TablePair[],
): Promise<ParentsOf> {
  const written = pairs.filter(({ shadow }) => !shadow);
  const byTable = new Map(written.map((pair) => [pair.target.name, pair]));
  const names = new Set(
    written.flatMap(({ target, children }) => [target, ...children]).map(({ name }) => name),
  );
  const parents: {
    readonly child: string;
    readonly pair: TablePair;
    readonly columns: readonly (readonly [string, string])[];
  }[] = [];
  for (const child of names) {
    const definition = await readDefinition(connection, schema, child);
    for (const { parent, columns, parentColumns } of definition?.foreignKeys ?? []) {
      const pair = byTable.get(parent);
      const key = pair?.map.keyNames ?? [];
      const own = new Map(parentColumns.map((name, index) => [name, columns[index] as string]));
      if (pair && key.length === own.size && key.every((name) => own.has(name)))
        parents.push({ child, pair, columns: key.map((name) => [name, own.get(name) as string]) });
    }
  }
  return ({ target }, values) =>
    parents.flatMap(({ child, pair, columns }) => {
      if (child !== target.name) return [];
      const key: Row = Object.fromEntries(columns.map(([name, column]) => [name, values[column] ?? null]));
      return Object.values(key).includes(null) ? [] : [{ pair, key }];
    });
}
