import { controlSchemaOf, reasonOf } from '@strangler/contracts';
import { escapeId } from 'mysql2';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { fenceDatabaseUnreachable } from '../errors.js';
import { databaseOf } from '../ledger/open-ledger.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** A database of the plan: its name there, its URL, the schema the URL ends with and the control schema beside it. */
export type FenceDatabase = {
  readonly name: string;
  readonly url: string;
  readonly schema: string;
  readonly control: string;
};

export const fenceDatabaseOf = (name: string, url: string): FenceDatabase => {
  const schema = databaseOf(url);
  return { name, url, schema, control: controlSchemaOf({ schema }) };
};

export const quoted = (...names: readonly string[]): string =>
  names.map((name) => escapeId(name, true)).join('.');

/** Hands `work` a connection and ends it behind it. Throws FENCE_DATABASE_UNREACHABLE. */
export async function withConnection<T>(
  database: FenceDatabase,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connectTo(database);
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

/** Numbers up to 2^53 are numbers, larger ones texts. Throws FENCE_DATABASE_UNREACHABLE. */
export async function connectTo({ name, url }: FenceDatabase): Promise<Connection> {
  let connection: Connection | undefined;
  try {
    connection = await createConnection({
      uri: url.replace(/^mariadb:/, 'mysql:'),
      charset: 'utf8mb4',
      supportBigNumbers: true,
      dateStrings: true,
      flags: ['FOUND_ROWS'],
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    // One that breaks while nobody waits for it must not end the process; the next statement on it tells.
    connection.on('error', () => {});
    // InnoDB tells the begin of a transaction in the time zone of the system.
    await connection.query("SET time_zone = 'SYSTEM', sql_mode = 'NO_ENGINE_SUBSTITUTION'");
    return connection;
  } catch (cause) {
    connection?.destroy();
    throw fenceDatabaseUnreachable(name, reasonOf(cause), cause);
  }
}

export const rowsOf = async (
  connection: Connection,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly RowDataPacket[]> =>
  (await connection.query<RowDataPacket[]>(sql, values as unknown[]))[0];

export const isMariaDb = async (connection: Connection): Promise<boolean> =>
  /mariadb/i.test(String((await rowsOf(connection, 'SELECT VERSION() version'))[0]?.['version']));

/** The number of a server's error; undefined for anything else thrown. */
export const errorNumber = (thrown: unknown): number | undefined =>
  thrown instanceof Error && 'errno' in thrown && typeof thrown.errno === 'number' ? thrown.errno : undefined;

const NO_DATABASE = 1049;
const NO_TABLE = 1146;
/** Whether a statement failed because its table, or the schema of it, has not been made yet. */
export const isNotThere = (thrown: unknown): boolean => {
  const number = errorNumber(thrown);
  return number === NO_TABLE || number === NO_DATABASE;
};
