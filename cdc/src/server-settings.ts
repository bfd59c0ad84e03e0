import type { Connection, RowDataPacket } from 'mysql2/promise';

/** Global variables of a server by their names in lower case; one that it does not have is not there. */
export async function serverSettings(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(', ')})`,
  );
  return new Map(rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]));
}

/** The rows of the first of some statements that the server understands and the account may run; undefined when there is none. */
export async function firstThatRuns(
  connection: Connection,
  ...statements: readonly string[]
): Promise<readonly RowDataPacket[] | undefined> {
  for (const statement of statements) {
    const answer = await connection.query<RowDataPacket[]>(statement).catch(() => undefined);
    if (answer) return answer[0];
  }
  return undefined;
}

export async function isMariaDb(connection: Connection): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() version');
  return /mariadb/i.test(String(rows[0]?.['version']));
}
