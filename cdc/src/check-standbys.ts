import type { Problem } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { checkLog } from './check-database.js';
import { connect, type Database } from './connect.js';
import { logEnd } from './log-end.js';

/** Whether the servers of a source can follow each other. One that does not answer is no problem: that is what the others are for. */
export async function checkStandbys(
  database: Database,
  failover: readonly string[],
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [index, url] of [database.url, ...failover].entries()) {
    const path = index === 0 ? `databases.${database.name}` : `sync.failover.${database.name}[${index - 1}]`;
    const connection = await connect({ ...database, url }).catch(() => undefined);
    if (!connection) continue;
    try {
      // The first one's log is checked with everything else.
      const log = index === 0 ? [] : await checkLog(connection, path);
      problems.push(...log);
      if (log.some(({ code }) => code === 'LOG_OFF')) continue;
      if ((await logEnd(connection)).kind === 'file')
        problems.push({
          code: 'FAILOVER_WITHOUT_GTID',
          path,
          message: 'gives transactions no ids, so nobody can go on with its log on another server',
          remedy: 'set "gtid_mode = ON" on all its servers, there and in their configuration',
          statements: [
            'SET GLOBAL enforce_gtid_consistency = ON',
            ...['OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'].map((mode) => `SET GLOBAL gtid_mode = ${mode}`),
          ],
        });
      const [rows] = await connection.query<RowDataPacket[]>(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_slave_updates', 'log_replica_updates') AND Value = 'OFF'",
      );
      // The first one may never have been a replica.
      if (index > 0 && rows.length > 0)
        problems.push({
          code: 'LOG_NOT_REPLICATED',
          path,
          message: 'does not log what it gets by replication',
          remedy: `set "${String(rows[0]?.['Variable_name'])} = ON" in its configuration and restart it`,
        });
    } finally {
      connection.destroy();
    }
  }
  return problems;
}
