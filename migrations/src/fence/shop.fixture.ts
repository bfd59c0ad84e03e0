import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';
import { type FenceDatabase, fenceDatabaseOf, quoted } from './fence-database.js';
import type { Writer } from './fences.conformance.js';

const server = process.env['STRANGLER_MYSQL_URL'] ?? '';

/** A database of its own with a few tables, and sessions on it. Everything is gone behind `close`. */
export async function openShop(
  name = `fence_${randomBytes(4).toString('hex')}`,
  url = server,
): Promise<Shop> {
  const root = await createConnection({ uri: url, multipleStatements: true });
  const at = new URL(url);
  at.pathname = `/${encodeURIComponent(name)}`;
  const database = fenceDatabaseOf('legacy', at.href);
  const schema = quoted(name);
  const accounts: string[] = [];
  const opened: Connection[] = [root];
  await root.query(`CREATE DATABASE ${schema}; USE ${schema}`);
  await root.query(
    'CREATE TABLE one (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(40)); CREATE TABLE two LIKE one',
  );
  const connect = async (as?: { readonly user: string; readonly password: string }) => {
    const session = await createConnection({
      uri: at.href,
      ...(as ? { user: as.user, password: as.password } : {}),
    });
    opened.push(session);
    session.on('error', () => {});
    return session;
  };
  return {
    root,
    database,
    url: at.href,
    connect,
    async begin(as, session) {
      const connection = session ?? (await connect());
      if (as === 'applier') await connection.query('SET @strangler_apply = 1');
      await connection.query('START TRANSACTION');
      return {
        write: async (table) =>
          void (await connection.query(`INSERT INTO ${quoted(table)} (title) VALUES ('x')`)),
        commit: async () => void (await connection.query('COMMIT')),
      };
    },
    async account(grants) {
      const user = `fence_${randomBytes(4).toString('hex')}`;
      accounts.push(user);
      await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'secret'`);
      for (const grant of grants) await root.query(`GRANT ${grant} TO '${user}'@'%'`);
      const its = new URL(at.href);
      [its.username, its.password] = [user, 'secret'];
      return { user, password: 'secret', database: fenceDatabaseOf('legacy', its.href) };
    },
    async close() {
      // What a session still holds would be waited for.
      for (const session of opened.splice(1)) {
        await session.query(`ROLLBACK`).catch(() => {});
        session.destroy();
      }
      await root.query(
        `DROP DATABASE IF EXISTS ${schema}; DROP DATABASE IF EXISTS ${quoted(database.control)}`,
      );
      for (const user of accounts) await root.query(`DROP USER IF EXISTS '${user}'@'%'`);
      await root.end();
    },
  };
}

export type Shop = {
  /** Of the server's administrator, in the schema. */
  readonly root: Connection;
  readonly database: FenceDatabase;
  readonly url: string;
  connect(as?: { readonly user: string; readonly password: string }): Promise<Connection>;
  /** A transaction in a session of its own, or in the one given. */
  begin(as: 'application' | 'applier', session?: Connection): Promise<Writer>;
  /** A new account with these, each as in GRANT ... TO. */
  account(
    grants: readonly string[],
  ): Promise<{ readonly user: string; readonly password: string; readonly database: FenceDatabase }>;
  close(): Promise<void>;
};
