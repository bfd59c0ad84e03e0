import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import type { DataSourceOptions } from 'typeorm';
import { migrations, MIGRATIONS_TABLE } from './schema/migrations.js';

export type Engine = 'mariadb' | 'mysql';

/** What the server is: TypeORM reads the schema of MariaDB and of MySQL in different ways. */
export async function engineOf(connection: Connection): Promise<Engine> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  return String(row?.['version']).toLowerCase().includes('mariadb') ? 'mariadb' : 'mysql';
}

/**
 * Asks the server what it is and whether the schema is the one this program was built for. Changes nothing.
 * Throws one sentence when it cannot be reached, or when migrations have not run.
 */
export async function inspectDatabase(url: string): Promise<Engine> {
  const { host, pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const connection = await mysql
    .createConnection({ uri: url, connectTimeout: 5_000 })
    .catch((cause: NodeJS.ErrnoException) => {
      throw new Error(
        cause.code === 'ER_BAD_DB_ERROR'
          ? `database "${database}" does not exist: create it with "npm run migrate"`
          : `database server "${host}" does not let the service in (${cause.code ?? cause.message}): start it or correct ORDERS_DATABASE_URL`,
        { cause },
      );
    });
  try {
    const pending = await pendingMigrations(async (sql) => (await connection.query<RowDataPacket[]>(sql))[0]);
    if (pending.length > 0)
      throw new Error(
        `database "${database}" misses ${pending.map((name) => `"${name}"`).join(', ')}: run "npm run migrate"`,
      );
    return await engineOf(connection);
  } finally {
    await connection.end();
  }
}

/** Names of the migrations that have not run, in order. Unlike TypeORM's own question it only reads. */
export async function pendingMigrations(
  query: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
): Promise<string[]> {
  const tables = await query(`SHOW TABLES LIKE '${MIGRATIONS_TABLE}'`);
  const rows = tables.length === 0 ? [] : await query(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const done = new Set(rows.map((row) => row['name']));
  return migrations.map(({ name }) => name).filter((name) => !done.has(name));
}

/** `timezone` Z makes a DATETIME the instant it means in UTC, whatever the zone of the process. */
export const dataSourceOptions = (engine: Engine, url: string): DataSourceOptions => ({
  type: engine,
  url,
  timezone: 'Z',
  synchronize: false,
  poolSize: 10,
  connectTimeout: 5_000,
  migrations,
  migrationsTableName: MIGRATIONS_TABLE,
});
