import type { Offset } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf, type Database } from './connect.js';
import { quoted } from './sql.js';

/** How far the target's own log was looked through, and what was found. */
export type StoredStray = { readonly offset: Offset; readonly found: number; readonly repaired: number };
export type StrayStore = {
  read(): Promise<StoredStray | undefined>;
  keep(stray: StoredStray): Promise<void>;
};

export function strayStore(connection: Connection, target: Database, stream: string): StrayStore {
  const name = quoted(controlSchemaOf(target), 'stray_writes');
  return {
    async read() {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT log_offset, found, repaired FROM ${name} WHERE stream = ?`,
        [stream],
      );
      const [row] = rows;
      return row === undefined
        ? undefined
        : {
            offset: { text: String(row['log_offset']) },
            found: Number(row['found']),
            repaired: Number(row['repaired']),
          };
    },
    async keep({ offset, found, repaired }) {
      await connection.query(
        `INSERT INTO ${name} (stream, log_offset, found, repaired) VALUES (?, ?, ?, ?)
           ON DUPLICATE KEY UPDATE log_offset = VALUES(log_offset), found = VALUES(found), repaired = VALUES(repaired)`,
        [stream, offset.text, found, repaired],
      );
    },
  };
}
