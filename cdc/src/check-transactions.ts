import type { Problem } from '@strangler/contracts';
import { hidden } from './hidden.js';
import { preparedTransactions } from './prepared-transactions.js';
import { firstThatRuns } from './server-settings.js';
import { pathOf, type Side } from './sides.js';

/** Transactions of a server that stand in the way of a copy: long ones, which keep it from purging and whose changes come all at once, and those of two phases that were prepared and not ended. */
export async function checkTransactions(side: Side, longS: number): Promise<readonly Problem[]> {
  const { connection } = side;
  const path = pathOf(side);
  // Their begin is told in the zone of the machine, whatever that of the session.
  const open = await firstThatRuns(
    connection,
    `SELECT trx_mysql_thread_id id, TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) seconds, trx_rows_modified changed, p.USER user, p.HOST host
       FROM information_schema.INNODB_TRX LEFT JOIN information_schema.PROCESSLIST p ON p.ID = trx_mysql_thread_id
      WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) ORDER BY trx_started LIMIT 10`,
  );
  const problems: Problem[] = (open ?? [])
    .filter((row) => Number(row['seconds']) >= longS)
    .map((row) => ({
      code: 'TRANSACTION_LONG',
      path,
      message: `has a transaction that has been open for ${Number(row['seconds'])} seconds with ${Number(row['changed'])} changed rows, of connection ${Number(row['id'])} of "${String(row['user'] ?? 'unknown')}"`,
      remedy: 'have it ended, or end it',
      statements: [`KILL ${Number(row['id'])}`],
    }));
  if (!open) problems.push(await hidden(side, 'open transactions', 'PROCESS'));

  if (side.captured.length === 0) return problems;
  const prepared = await preparedTransactions(connection);
  for (const id of prepared ?? [])
    problems.push({
      code: 'XA_PREPARED',
      path,
      message: `has a prepared transaction of two phases (${id}): its rows are in the log already and not in their tables, so no copy begins`,
      remedy: 'have it committed or rolled back by whoever coordinates it',
      statements: [`XA ROLLBACK ${id}`],
    });
  if (!prepared) problems.push(await hidden(side, 'prepared transactions of two phases', 'XA_RECOVER_ADMIN'));
  return problems;
}
