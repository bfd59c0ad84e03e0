import { escape } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { type FenceDatabase, isNotThere, quoted, rowsOf } from './fence-database.js';
import type { FenceSeen, FenceStart } from './fences.js';
import { createFenceTable, FENCE_TABLE, fenceOf } from './trigger-text.js';

type State = NonNullable<FenceSeen['state']>;

/** What the fence rows of the tables say. */
export async function fenceRows(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
): Promise<ReadonlyMap<string, State>> {
  const rows = await rowsOf(
    connection,
    `SELECT tbl, closed, epoch, coordinator, reason, UNIX_TIMESTAMP(at) * 1000 at FROM ${fenceOf(database)} WHERE tbl IN (?)`,
    [tables],
  ).catch((error: unknown) => {
    if (isNotThere(error)) return [];
    throw error;
  });
  return new Map(
    rows.map((row) => [
      String(row['tbl']),
      {
        closed: Number(row['closed']) === 1,
        epoch: Number(row['epoch']),
        coordinator: Number(row['coordinator']),
        reason: row['reason'] === null ? null : String(row['reason']),
        at: new Date(Number(row['at'])).toISOString(),
      },
    ]),
  );
}

const hasTable = async (database: FenceDatabase, connection: Connection): Promise<boolean> =>
  (
    await rowsOf(
      connection,
      'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [database.control, FENCE_TABLE],
    )
  ).length > 0;

/** Statements that write the rows that are not there. One that is stays as it is: nothing that is put up once more opens a fence. */
export async function toWriteRows(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
  { open, epoch }: FenceStart,
): Promise<readonly string[]> {
  const isThere = await hasTable(database, connection);
  const schemas = await rowsOf(
    connection,
    'SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?',
    [database.control],
  );
  const rows = isThere ? await fenceRows(database, connection, tables) : new Map<string, State>();
  const missing = tables.filter((table) => !rows.has(table));
  return [
    ...(schemas.length > 0 ? [] : [`CREATE DATABASE IF NOT EXISTS ${quoted(database.control)}`]),
    ...(isThere ? [] : [createFenceTable(database)]),
    ...(missing.length === 0
      ? []
      : [
          `INSERT IGNORE INTO ${fenceOf(database)} (tbl, closed, epoch, coordinator) VALUES ${missing
            .map((table) => `(${escape(table)}, ${open ? 0 : 1}, ${epoch}, 0)`)
            .join(', ')}`,
        ]),
  ];
}

export async function toRemoveRows(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
): Promise<readonly string[]> {
  const rows = await fenceRows(database, connection, tables);
  return rows.size === 0
    ? []
    : [
        `DELETE FROM ${fenceOf(database)} WHERE tbl IN (${[...rows.keys()].map((table) => escape(table)).join(', ')})`,
      ];
}
