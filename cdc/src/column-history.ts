import type { Connection, RowDataPacket } from 'mysql2/promise';
import { isUpTo, type LogPosition, offsetOf, positionOf } from './binlog-offset.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { quoted } from './sql.js';
import type { Table } from './table.js';

/** A table as it was from a position of the log on. */
export type TableAt = {
  readonly table: Table;
  /** End of the log when the table was read: a change of its columns before that is in it already. */
  readonly readUntil: LogPosition;
};

/**
 * What the columns of captured tables were, by position in the log. Row events hold values without names, so whoever reads a stretch of the log again
 * needs the columns of that time, not those of today.
 */
export type ColumnHistory = {
  /** The newest entry at or before the position. */
  at(table: string, position: LogPosition): Promise<TableAt | undefined>;
  /** The entry of exactly that position: what was read when this place of the log was reached before. */
  exactly(table: string, position: LogPosition): Promise<TableAt | undefined>;
  add(table: string, position: LogPosition, entry: TableAt): Promise<void>;
};

export function memoryColumnHistory(): ColumnHistory {
  const entries: { readonly table: string; readonly position: LogPosition; readonly entry: TableAt }[] = [];
  return {
    async at(table, position) {
      return newest(
        entries.filter((item) => item.table === table),
        position,
      )?.entry;
    },
    async exactly(table, position) {
      return entries.find((item) => item.table === table && isSame(item.position, position))?.entry;
    },
    async add(table, position, entry) {
      entries.push({ table, position, entry });
    },
  };
}

/** Kept in the control schema of the target, where the offset is. */
export function storedColumnHistory(target: Database, stream: string): ColumnHistory {
  const name = quoted(controlSchemaOf(target), 'captured_columns');
  const using = async <Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> => {
    const connection = await connect(target);
    try {
      return await work(connection);
    } finally {
      connection.destroy();
    }
  };
  const read = (table: string) =>
    using(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT log_offset, read_until, definition FROM ${name} WHERE stream = ? AND table_name = ?`,
        [stream, table],
      );
      return rows.map((row) => ({
        position: positionOf({ text: String(row['log_offset']) }),
        entry: {
          table: JSON.parse(String(row['definition'])) as Table,
          readUntil: positionOf({ text: String(row['read_until']) }),
        },
      }));
    });
  return {
    at: async (table, position) => newest(await read(table), position)?.entry,
    exactly: async (table, position) =>
      (await read(table)).find((item) => isSame(item.position, position))?.entry,
    add: (table, position, { table: definition, readUntil }) =>
      using(async (connection) => {
        await connection.query(
          `INSERT IGNORE INTO ${name} (stream, table_name, position_hash, log_offset, read_until, definition) VALUES (?, ?, UNHEX(SHA2(?, 256)), ?, ?, ?)`,
          [
            stream,
            table,
            offsetOf(position).text,
            offsetOf(position).text,
            offsetOf(readUntil).text,
            JSON.stringify(definition),
          ],
        );
      }),
  };
}

const isSame = (a: LogPosition, b: LogPosition): boolean => isUpTo(a, b) && isUpTo(b, a);

/** Of two at one position the later one. */
function newest<Item extends { readonly position: LogPosition }>(
  items: readonly Item[],
  position: LogPosition,
): Item | undefined {
  return items
    .filter((item) => isUpTo(item.position, position))
    .reduce<Item | undefined>(
      (best, item) => (best && !isUpTo(best.position, item.position) ? best : item),
      undefined,
    );
}
