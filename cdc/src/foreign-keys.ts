import type { Row } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ParentsOf } from './parking-lot.js';
import type { TablePair } from './table-pair.js';

/** Foreign keys that the target declares between mapped tables, by the primary key of the parent. */
export async function readParents(
  connection: Connection,
  schema: string,
  pairs: readonly TablePair[],
): Promise<ParentsOf> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT CONSTRAINT_NAME name, TABLE_NAME child, COLUMN_NAME column_name, REFERENCED_TABLE_NAME parent, REFERENCED_COLUMN_NAME parent_column
       FROM information_schema.KEY_COLUMN_USAGE
      WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_SCHEMA = ? ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
    [schema, schema],
  );
  const byTable = new Map(pairs.map((pair) => [pair.target.name, pair]));
  /** By child table and name: the parent's columns with the child's. */
  const links = new Map<
    string,
    { readonly child: string; readonly parent: string; readonly columns: Map<string, string> }
  >();
  for (const row of rows) {
    const [child, parent] = [String(row['child']), String(row['parent'])];
    const id = `${child}\0${String(row['name'])}`;
    const link = links.get(id) ?? { child, parent, columns: new Map<string, string>() };
    links.set(id, link);
    link.columns.set(String(row['parent_column']), String(row['column_name']));
  }
  const parents = [...links.values()].flatMap(({ child, parent, columns }) => {
    const pair = byTable.get(parent);
    const key = pair?.map.keyNames ?? [];
    return pair && key.length === columns.size && key.every((name) => columns.has(name))
      ? [{ child, pair, columns: key.map((name) => [name, columns.get(name) as string] as const) }]
      : [];
  });
  return ({ target }, values) =>
    parents.flatMap(({ child, pair, columns }) => {
      if (child !== target.name) return [];
      const key: Row = Object.fromEntries(columns.map(([name, column]) => [name, values[column] ?? null]));
      return Object.values(key).includes(null) ? [] : [{ pair, key }];
    });
}
