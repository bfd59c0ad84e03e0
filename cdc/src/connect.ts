import { format } from 'mysql2';
import { createConnection, type Connection, type ConnectionOptions } from 'mysql2/promise';
import { databaseUnreachable } from './errors.js';

export { controlSchemaOf } from '@strangler/contracts';

/** A database of the plan: its name in the plan, its URL, and the schema the URL ends with. */
export type Database = { readonly name: string; readonly url: string; readonly schema: string };

export const databaseOf = (name: string, url: string): Database => ({
  name,
  url,
  schema: decodeURIComponent(new URL(url).pathname.slice(1)),
});

/** Texts stay as the server prints them; `affectedRows` counts matched rows, which the writes depend on. */
export const connectionOptions = (database: Database): ConnectionOptions => ({
  uri: database.url.replace(/^mariadb:/, 'mysql:'),
  charset: 'utf8mb4',
  timezone: 'Z',
  dateStrings: true,
  jsonStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  flags: ['FOUND_ROWS'],
  // Every value in a statement is escaped or a checked number, so no value can begin a statement of its own.
  multipleStatements: true,
  // Without values nothing is looked for in the text, which was a tenth of what a copy costs.
  queryFormat: (sql: string, values: unknown) =>
    Array.isArray(values) && values.length > 0 ? format(sql, values, false, 'Z') : sql,
  // Nobody reads where in mysql2 an error was made; to remember it for every statement costs.
  trace: false,
  connectTimeout: 10_000,
  enableKeepAlive: true,
});

/** A connection in UTC. Throws DATABASE_UNREACHABLE. `settings` are assignments of session variables. */
export async function connect(database: Database, settings: readonly string[] = []): Promise<Connection> {
  let connection: Connection | undefined;
  try {
    connection = await createConnection(connectionOptions(database));
    // A connection that breaks while nobody waits for it must not end the process; the next statement on it tells.
    connection.on('error', () => {});
    await connection.query(
      `SET ${["time_zone = '+00:00'", "sql_mode = 'NO_ENGINE_SUBSTITUTION'", ...settings].join(', ')}`,
    );
    return connection;
  } catch (cause) {
    connection?.destroy();
    throw databaseUnreachable(database.name, cause);
  }
}
