import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Progress } from './backfill.js';
import { controlSchemaOf, type Database } from './connect.js';
import { quoted } from './sql.js';

const table = (target: Database): string => quoted(controlSchemaOf(target), 'backfill_progress');

export async function readProgress(
  connection: Connection,
  target: Database,
  stream: string,
): Promise<Map<string, Progress>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT table_name, last_key, copied, total, done FROM ${table(target)} WHERE stream = ?`,
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
): Promise<void> {
  await connection.query(`INSERT INTO ${table(target)} (stream, table_name, total) VALUES (?, ?, ?)`, [
    stream,
    name,
    total,
  ]);
}
