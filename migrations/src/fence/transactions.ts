import type { Connection, RowDataPacket } from 'mysql2/promise';
import { processPrivilegeMissing } from '../errors.js';
import { errorNumber, type FenceDatabase, isMariaDb, rowsOf, withConnection } from './fence-database.js';

/** An open transaction that holds locks. */
export type Transaction = {
  readonly id: string;
  readonly ageMs: number;
  /** `user@host`; "nobody" where its session is gone, as of a prepared XA transaction. */
  readonly account: string;
  /** What it runs now; null between two statements. */
  readonly statement: string | null;
};

const LONGEST_STATEMENT = 200;
const ACCESS_DENIED = 1227;

const COLUMNS = `CAST(t.trx_id AS CHAR) id, TIMESTAMPDIFF(MICROSECOND, t.trx_started, NOW(6)) DIV 1000 age,
  p.USER user, p.HOST host, LEFT(COALESCE(t.trx_query, p.INFO), ${LONGEST_STATEMENT}) statement`;
const SESSIONS = 'LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id';

const transactionOf = (row: RowDataPacket): Transaction => ({
  id: String(row['id']),
  ageMs: Math.max(0, Number(row['age'])),
  account:
    row['user'] === null ? 'nobody' : `${String(row['user'])}@${String(row['host']).replace(/:\d+$/, '')}`,
  statement: row['statement'] === null ? null : String(row['statement']),
});

/** Transactions that have written or hold locks and are older than `maxMs`, oldest first. Throws PROCESS_PRIVILEGE_MISSING. */
export const oldTransactions = (database: FenceDatabase, maxMs: number): Promise<readonly Transaction[]> =>
  withConnection(database, async (connection) => {
    try {
      return (await writingTransactions(connection)).filter(({ ageMs }) => ageMs > maxMs);
    } catch (error) {
      if (errorNumber(error) !== ACCESS_DENIED) throw error;
      const [row] = await rowsOf(connection, 'SELECT CURRENT_USER() account');
      throw processPrivilegeMissing(database.name, accountText(String(row?.['account'])));
    }
  });

/** `user@host` as it stands in a GRANT. */
export const accountText = (account: string): string => {
  const at = account.lastIndexOf('@');
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
};

const writingTransactions = async (connection: Connection): Promise<readonly Transaction[]> =>
  (
    await rowsOf(
      connection,
      `SELECT ${COLUMNS} FROM information_schema.INNODB_TRX t ${SESSIONS}
        WHERE t.trx_mysql_thread_id <> CONNECTION_ID() AND (t.trx_rows_modified > 0 OR t.trx_lock_structs > 0)
        ORDER BY t.trx_started`,
    )
  ).map(transactionOf);

/** The transactions that the session `waiting` waits for; all that write where the server does not say which. Empty when the account may not see them. */
export async function blockersOf(connection: Connection, waiting: number): Promise<readonly Transaction[]> {
  try {
    const pairs = (await isMariaDb(connection))
      ? 'information_schema.INNODB_LOCK_WAITS w ON w.requesting_trx_id = r.trx_id JOIN information_schema.INNODB_TRX t ON t.trx_id = w.blocking_trx_id'
      : 'performance_schema.data_lock_waits w ON w.REQUESTING_ENGINE_TRANSACTION_ID = r.trx_id JOIN information_schema.INNODB_TRX t ON t.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID';
    const rows = await rowsOf(
      connection,
      `SELECT DISTINCT ${COLUMNS}, t.trx_started FROM information_schema.INNODB_TRX r JOIN ${pairs} ${SESSIONS}
        WHERE r.trx_mysql_thread_id = ? ORDER BY t.trx_started`,
      [waiting],
    );
    return rows.length > 0 ? rows.map(transactionOf) : await writingTransactions(connection);
  } catch {
    // Without PROCESS it stays unknown who they are; that they are there is told.
    return [];
  }
}
