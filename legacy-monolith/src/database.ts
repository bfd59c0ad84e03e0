import mysql from 'mysql2/promise';
import type { DataSourceOptions } from 'typeorm';

type Engine = 'mariadb' | 'mysql';

/**
 * Asks the server what it is and whether the shop's tables are there.
 * Throws one sentence when it cannot be reached, or when the schema is missing.
 */
export async function inspectDatabase(url: string): Promise<Engine> {
  const { host, pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const connection = await mysql.createConnection(url).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(
      cause.code === 'ER_BAD_DB_ERROR'
        ? `database "${database}" does not exist: create and fill it with "npm run seed"`
        : `database server "${host}" does not let the shop in (${cause.code ?? cause.message}): start it or correct SHOP_DATABASE_URL`,
      { cause },
    );
  });
  try {
    const [tables] = await connection.query<mysql.RowDataPacket[]>("SHOW TABLES LIKE 'product'");
    if (tables.length === 0)
      throw new Error(`database "${database}" has no shop schema: create and fill it with "npm run seed"`);
    const [[row]] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
    return String(row?.['version']).toLowerCase().includes('mariadb') ? 'mariadb' : 'mysql';
  } finally {
    await connection.end();
  }
}

/** `dateStrings` keeps local times as they are stored; the driver would read them in the zone of the process. */
export const dataSourceOptions = (engine: Engine, url: string): DataSourceOptions => ({
  type: engine,
  url,
  dateStrings: true,
  synchronize: false,
  poolSize: 10,
});
