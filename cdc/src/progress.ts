import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ProgressUpdate } from './apply.js';
import type { Progress } from './backfill.js';
import { controlSchemaOf, type Database } from './connect.js';
import { quoted } from './sql.js';

const progressTable = (target: Database): string => quoted(controlSchemaOf(target), 'backfill_progress');

export async function readProgress(
  connection: Connection,
  target: Database,
  stream: string,
): Promise<Map<string, Progress>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT table_name, last_key, copied, total, done FROM ${progressTable(target)} WHERE stream = ?`,
    [stream],
  );
  return new Map(
    rows.map((row) => [
      String(row['table_name']),
      {
        table: String(row['table_name']),
        lastKey: row['last_key'] as string | null,
        copied: Number(row['copied']),
        total: Number(row['total']),
        done: Number(row['done']) === 1,
      },
    ]),
  );
}

export async function addProgress(
  connection: Connection,
  target: Database,
  stream: string,
  name: string,
  total: number,
  done: boolean,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${progressTable(target)} (stream, table_name, total, done) VALUES (?, ?, ?, ?)`,
    [stream, name, total, done ? 1 : 0],
  );
}

/** Copies that begin anew, whatever was copied before. */
export async function forgetProgress(
  connection: Connection,
  target: Database,
  stream: string,
  names: readonly string[],
): Promise<void> {
  if (names.length > 0)
    await connection.query(`DELETE FROM ${progressTable(target)} WHERE stream = ? AND table_name IN (?)`, [
      stream,
      names,
    ]);
}

/** Moves the progress of a copy on, in the transaction of its rows. */
export async function writeProgress(
  connection: Connection,
  target: Database,
  stream: string,
  { table, lastKey, copied, done, again }: ProgressUpdate,
): Promise<void> {
  if (again)
    await connection.query(
      `UPDATE ${quoted(controlSchemaOf(target), 'recopy')} SET pass = ?, last_key = ?, looked = looked + ?, removed = removed + ? WHERE stream = ? AND table_name = ?`,
      [again.pass, lastKey, copied, again.removed, stream, table],
    );
  else
    await connection.query(
      `INSERT INTO ${progressTable(target)} (stream, table_name, last_key, copied, done) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE last_key = VALUES(last_key), copied = copied + VALUES(copied), done = VALUES(done)`,
      [stream, table, lastKey, copied, done ? 1 : 0],
    );
}

export function addToProgress(
  progress: Map<string, Progress>,
  { table, lastKey, copied, done }: ProgressUpdate,
): void {
  const before = progress.get(table);
  progress.set(table, {
    table,
    lastKey,
    done,
    copied: (before?.copied ?? 0) + copied,
    total: before?.total ?? 0,
  });
}
