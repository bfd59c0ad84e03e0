import type { Offset } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { quoted } from './sql.js';

/** Remembers in the transaction of the rows how far the other stream had carried the target's log. */
export async function keepSeen(
  connection: Connection,
  schema: string,
  stream: string,
  { text }: Offset,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${quoted(schema, 'seen')} (stream, log_offset) VALUES (?, ?) ON DUPLICATE KEY UPDATE log_offset = VALUES(log_offset)`,
    [stream, text],
  );
}

export async function readSeen(
  connection: Connection,
  schema: string,
  stream: string,
): Promise<Offset | undefined> {
  return offsetIn(connection, schema, 'seen', stream);
}

/** How far a stream is that writes into a database, by its offset there. */
export const readApplied = (
  connection: Connection,
  schema: string,
  stream: string,
): Promise<Offset | undefined> => offsetIn(connection, schema, 'apply_offset', stream);

async function offsetIn(
  connection: Connection,
  schema: string,
  table: 'seen' | 'apply_offset',
  stream: string,
): Promise<Offset | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT log_offset FROM ${quoted(schema, table)} WHERE stream = ?`,
    [stream],
  );
  return rows[0] && { text: String(rows[0]['log_offset']) };
}
