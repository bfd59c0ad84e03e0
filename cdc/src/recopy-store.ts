import type { Connection, RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf, type Database } from './connect.js';
import { quoted } from './sql.js';

/** A table or a range of it that is copied again, as the target keeps it. Keys are texts of `printKey`. */
export type StoredRecopy = {
  readonly table: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Which pass goes on, and behind which key. */
  readonly pass: number;
  readonly lastKey: string | null;
  readonly looked: number;
  readonly removed: number;
  readonly total: number;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
};

/** Where the recopies of one stream are kept. */
export type RecopyStore = {
  /** Oldest first. */
  read(): Promise<readonly StoredRecopy[]>;
  /** In place of one of the same table. */
  add(recopy: StoredRecopy): Promise<void>;
  finish(table: string, at: string): Promise<void>;
};

export function recopyStore(connection: Connection, target: Database, stream: string): RecopyStore {
  const name = quoted(controlSchemaOf(target), 'recopy');
  const isoOf = (text: string | null) => (text === null ? null : `${text.replace(' ', 'T')}Z`);
  const dateTimeOf = (iso: string) => iso.replace('T', ' ').replace('Z', '');
  return {
    async read() {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT * FROM ${name} WHERE stream = ? ORDER BY requested_at, table_name`,
        [stream],
      );
      return rows.map((row) => ({
        table: String(row['table_name']),
        from: row['from_key'] as string | null,
        to: row['to_key'] as string | null,
        pass: Number(row['pass']),
        lastKey: row['last_key'] as string | null,
        looked: Number(row['looked']),
        removed: Number(row['removed']),
        total: Number(row['total']),
        requestedAt: isoOf(row['requested_at'] as string) as string,
        finishedAt: isoOf(row['finished_at'] as string | null),
      }));
    },
    async add({ table, from, to, total, requestedAt }) {
      await connection.query(
        `REPLACE INTO ${name} (stream, table_name, from_key, to_key, total, requested_at) VALUES (?, ?, ?, ?, ?, ?)`,
        [stream, table, from, to, total, dateTimeOf(requestedAt)],
      );
    },
    async finish(table, at) {
      await connection.query(`UPDATE ${name} SET finished_at = ? WHERE stream = ? AND table_name = ?`, [
        dateTimeOf(at),
        stream,
        table,
      ]);
    },
  };
}
