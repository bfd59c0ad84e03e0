import mysql from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { dataSourceOptions, engineOf, type Engine } from '../database.js';

/** Creates the database when it is missing and runs the migrations that have not run. Gives their names. */
export async function migrate(url: string): Promise<string[]> {
  const engine = await createDatabase(url);
  const dataSource = await new DataSource(dataSourceOptions(engine, url)).initialize();
  try {
    return (await dataSource.runMigrations()).map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}

async function createDatabase(url: string): Promise<Engine> {
  const server = new URL(url);
  const database = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/';
  const connection = await mysql
    .createConnection({ uri: server.href, connectTimeout: 5_000 })
    .catch((cause: NodeJS.ErrnoException) => {
      throw new Error(
        `database server "${server.host}" does not let the service in (${cause.code ?? cause.message}): start it or correct ORDERS_DATABASE_URL`,
        { cause },
      );
    });
  try {
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS ${mysql.escapeId(database, true)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    );
    return await engineOf(connection);
  } finally {
    await connection.end();
  }
}
