import type { Connection, RowDataPacket } from 'mysql2/promise';

/** How busy a server is at this moment; null where it does not tell. */
export type ServerLoad = {
  readonly threadsRunning: number | null;
  readonly rowLockWaits: number | null;
  readonly historyLength: number | null;
};

const ASKED = {
  threadsRunning: 'Threads_running',
  rowLockWaits: 'Innodb_row_lock_current_waits',
  historyLength: 'Innodb_history_list_length',
} as const;

/** Asks for no privilege. */
export async function readServerLoad(connection: Connection): Promise<ServerLoad> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SHOW GLOBAL STATUS WHERE Variable_name IN (${Object.values(ASKED)
      .map((name) => `'${name}'`)
      .join(', ')})`,
  );
  const values = new Map(
    rows.map((row) => [String(row['Variable_name']).toLowerCase(), Number(row['Value'])]),
  );
  const of = (name: keyof typeof ASKED) => values.get(ASKED[name].toLowerCase()) ?? null;
  return {
    threadsRunning: of('threadsRunning'),
    rowLockWaits: of('rowLockWaits'),
    historyLength: of('historyLength'),
  };
}
