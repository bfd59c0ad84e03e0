import type { Connection } from 'mysql2/promise';
import { type FenceDatabase, rowsOf } from './fence-database.js';

/** Writes that fire no trigger, by table: those of a foreign key whose parent has no fence. */
export async function gapsOf(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await rowsOf(
    connection,
    `SELECT TABLE_NAME tbl, CONSTRAINT_NAME name, REFERENCED_TABLE_NAME parent, DELETE_RULE del, UPDATE_RULE upd
       FROM information_schema.REFERENTIAL_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME IN (?) AND REFERENCED_TABLE_NAME NOT IN (?)
      ORDER BY TABLE_NAME, CONSTRAINT_NAME`,
    [database.schema, tables, tables],
  );
  const gaps = new Map<string, string[]>();
  for (const row of rows) {
    const rules = [
      ['DELETE', String(row['del'])],
      ['UPDATE', String(row['upd'])],
    ].filter(([, rule]) => rule !== 'RESTRICT' && rule !== 'NO ACTION');
    if (rules.length === 0) continue;
    const table = String(row['tbl']);
    gaps.set(table, [
      ...(gaps.get(table) ?? []),
      `${rules.map(([what, rule]) => `ON ${what} ${rule}`).join(', ')} of foreign key "${String(row['name'])}" writes it from "${String(row['parent'])}", which has no fence of this migration`,
    ]);
  }
  return gaps;
}
