import { createConnection } from 'mysql2/promise';
import { DataSource, type Logger } from 'typeorm';
import { CreateLedger1763800000000 } from '../../schema/1763800000000-create-ledger.js';
import { CreateLease1763900000000 } from '../../schema/1763900000000-create-lease.js';
import { ledgerNotPrepared, ledgerUnreachable } from '../errors.js';
import { LedgerEntry } from './ledger-entry.js';
import type { Leases } from './leases.js';
import type { Ledger } from './ledger.js';
import { typeormLeases } from './typeorm-leases.js';
import { typeormLedger } from './typeorm-ledger.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** TypeORM prints a failed migration by itself; ours leaves as one sentence. */
const nothing = () => {};
const SILENT: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};

/** Host and database of a URL, without its password. */
export const placeOf = (url: string): string => `${new URL(url).host}${new URL(url).pathname}`;
export const databaseOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1));

/** The server, without its database, which may not be there yet. */
export async function connectToServer(url: string) {
  const server = new URL(url);
  server.pathname = '/';
  return createConnection({
    uri: server.href.replace(/^mariadb:/, 'mysql:'),
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
}

/**
 * Opens the ledger; creates the database and brings its schema up to date first. Two control planes that start at once
 * wait for each other by a lock of the server.
 */
export async function openLedger(
  url: string,
): Promise<{ ledger: Ledger; leases: Leases; close(): Promise<void> }> {
  const where = placeOf(url);
  const database = databaseOf(url);
  const server = await connectToServer(url).catch((cause: unknown) => {
    throw ledgerUnreachable(where, cause);
  });
  let source: DataSource | undefined;
  try {
    const [rows] = await server.query('SELECT VERSION() AS version');
    const [{ version }] = rows as unknown as [{ version: string }];
    await server.query('SELECT GET_LOCK(?, 30)', [`strangler-ledger:${database}`.slice(0, 64)]);
    const [found] = await server.query('SELECT 1 FROM information_schema.schemata WHERE schema_name = ?', [
      database,
    ]);
    if ((found as unknown[]).length === 0)
      await server.query(
        `CREATE DATABASE IF NOT EXISTS \`${database.replaceAll('`', '``')}\` CHARACTER SET utf8mb4`,
      );
    source = new DataSource({
      type: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
      url: url.replace(/^mariadb:/, 'mysql:'),
      timezone: 'Z',
      entities: [LedgerEntry],
      migrations: [CreateLedger1763800000000, CreateLease1763900000000],
      connectTimeout: CONNECT_TIMEOUT_MS,
      logger: SILENT,
      extra: { connectionLimit: 4 },
    });
    await source.initialize();
    await source.runMigrations({ transaction: 'none' });
  } catch (cause) {
    await source?.destroy().catch(() => {});
    throw ledgerNotPrepared(where, cause);
  } finally {
    await server.end().catch(() => {});
  }
  const opened = source;
  return {
    ledger: typeormLedger(opened, where),
    leases: typeormLeases(opened, where),
    close: () => opened.destroy(),
  };
}
