import type { MigrationData, StrayWrites } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { binlogSource } from './binlog-source.js';
import { checkLog } from './check-database.js';
import { controlSchemaOf, type Database } from './connect.js';
import type { Recopier } from './recopy.js';
import { strayStore } from './stray-store.js';
import { OFFSET_TABLE, type StrayWriteOptions, watchStrayWrites } from './stray-writes.js';
import type { TablePair } from './table-pair.js';

type FromTarget = Pick<StrayWriteOptions, 'controlSchema' | 'store' | 'sourceOf' | 'unwatchable' | 'userOf'>;

export type StrayWriteSearch = {
  readonly stream: string;
  readonly to: Database;
  readonly target: Connection;
  readonly pairs: readonly TablePair[];
  readonly data: MigrationData;
  /** Resolves when the tables are copied; until then the copy has the watermarks. */
  readonly copied: Promise<void>;
  readonly recopier: Recopier;
  readonly clock: () => number;
  readonly onFound: (found: StrayWrites) => void;
};

/** Does with stray writes what the plan says. Throws STRAY_WRITE where that is to stop. */
export async function lookForStrayWrites(search: StrayWriteSearch, signal: AbortSignal): Promise<void> {
  const { stream, to, target, data, copied, recopier } = search;
  // Where both sides write nobody is a stranger.
  const pairs = search.pairs.filter(({ merge, shadow }) => merge === undefined && !shadow);
  const mode = data.strayWrites ?? 'report';
  if (mode === 'ignore' || pairs.length === 0) return;
  await watchStrayWrites(
    {
      ...search,
      pairs,
      ...strayLog(to, target, stream),
      mode,
      chunkRows: data.chunkRows,
      async mend(pair, keys) {
        await copied;
        await recopier.mend(pair, keys, signal);
      },
      async recopy(table) {
        await copied;
        return recopier.ask({ table });
      },
    },
    signal,
  );
}

/** The target's log, where the target has one that tells rows. */
function strayLog(to: Database, connection: Connection, stream: string): FromTarget {
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
