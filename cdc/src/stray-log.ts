import type { Connection, RowDataPacket } from 'mysql2/promise';
import { binlogSource } from './binlog-source.js';
import { checkLog } from './check-database.js';
import { controlSchemaOf, type Database } from './connect.js';
import { strayStore } from './stray-store.js';
import { OFFSET_TABLE, type StrayWriteOptions } from './stray-writes.js';

type FromTarget = Pick<
  StrayWriteOptions,
  'controlSchema' | 'store' | 'sourceOf' | 'unwatchable' | 'userOf'
>;

/** The target's log, where the target has one that tells rows. */
export function strayLog(to: Database, connection: Connection, stream: string): FromTarget {
  const controlSchema = controlSchemaOf(to);
  return {
    controlSchema,
    store: strayStore(connection, to, stream),
    sourceOf: (tables) =>
      binlogSource({
        database: to,
        tables,
        yieldsTruncate: true,
        // Our own rows are most of the log, and nobody asks for them.
        onlyUntil: `${controlSchema}.${OFFSET_TABLE}`,
      }),
    async unwatchable() {
      const [problem] = await checkLog(connection, to.name);
      return problem && `database "${to.name}" ${problem.message}: ${problem.remedy}`;
    },
    async userOf(thread) {
      const [rows] = await connection.query<RowDataPacket[]>(
        'SELECT USER user, HOST host FROM information_schema.PROCESSLIST WHERE ID = ?',
        [thread],
      );
      const [row] = rows;
      return row ? `${String(row['user'])}@${String(row['host']).replace(/:\d+$/, '')}` : null;
    },
  };
}
