import type { Problem } from '@strangler/contracts';
import { hidden } from './hidden.js';
import { firstThatRuns, serverSettings } from './server-settings.js';
import { pathOf, type Side } from './sides.js';
import { controlSchemaOf } from './connect.js';

/** Whether everything that is committed in a source comes into its log, and in the order in which it can be read. A log that leaves something out says nothing of it. */
export async function checkLogContent(side: Side): Promise<readonly Problem[]> {
  const { connection, database } = side;
  const path = pathOf(side);
  const problems: Problem[] = [];
  const [status] = (await firstThatRuns(connection, 'SHOW MASTER STATUS', 'SHOW BINARY LOG STATUS')) ?? [];
  const listed = (name: string) =>
    String(status?.[name] ?? '')
      .split(',')
      .filter(Boolean);
  const [only, never] = [listed('Binlog_Do_DB'), listed('Binlog_Ignore_DB')];
  for (const schema of [database.schema, controlSchemaOf(database)])
    if (only.length > 0 ? !only.includes(schema) : never.includes(schema))
      problems.push({
        code: 'LOG_FILTERED',
        path,
        message: `does not log what is written into "${schema}" (${only.length > 0 ? 'binlog_do_db' : 'binlog_ignore_db'} is "${(only.length > 0 ? only : never).join(',')}")`,
        remedy: `${only.length > 0 ? `add "binlog_do_db = ${schema}" to` : `take "binlog_ignore_db = ${schema}" out of`} the server's configuration and restart it`,
      });

  const settings = await serverSettings(connection, [
    'binlog_order_commits',
    'log_slave_updates',
    'log_replica_updates',
  ]);
  if (settings.get('binlog_order_commits') === 'OFF')
    problems.push({
      code: 'LOG_ORDER',
      path,
      message:
        'may show transactions in another order than it logs them (binlog_order_commits is OFF), so a copied row can be older than the log says',
      remedy: 'set "binlog_order_commits = ON", there and in its configuration',
      statements: ['SET GLOBAL binlog_order_commits = ON'],
    });
  const unlogged = [...settings].find(([name, value]) => name.endsWith('_updates') && value === 'OFF');
  if (!unlogged) return problems;
  const replication = await firstThatRuns(
    connection,
    'SHOW ALL SLAVES STATUS',
    'SHOW REPLICA STATUS',
    'SHOW SLAVE STATUS',
  );
  if (!replication) problems.push(await hidden(side, 'replications', 'SLAVE MONITOR'));
  if (replication && replication.length > 0)
    problems.push({
      code: 'LOG_NOT_REPLICATED',
      path,
      message: `is a replica and does not log what it gets by replication (${unlogged[0]} is OFF)`,
      remedy: `set "${unlogged[0]} = ON" in its configuration and restart it, or name its primary in the plan`,
    });
  return problems;
}
