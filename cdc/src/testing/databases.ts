import { randomBytes } from 'node:crypto';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf, type Database, databaseOf } from '../connect.js';

export type ScratchDatabase = Database & { readonly root: Connection };

/** A database of its own for one test, and a connection that has it selected. `drop` removes it and its control schema. */
export async function scratchDatabase(
  name: string,
  server = process.env['STRANGLER_MYSQL_URL'] ?? '',
): Promise<ScratchDatabase & { drop(): Promise<void> }> {
  const schema = `t_${name}_${randomBytes(4).toString('hex')}`;
  const url = new URL(server);
  const root = await createConnection({ uri: url.href, multipleStatements: true, dateStrings: true });
  // A test may end its server under it.
  root.on('error', () => {});
  await root.query(
    `CREATE DATABASE ${schema} CHARACTER SET utf8mb4; USE ${schema}; SET time_zone = '+00:00'`,
  );
  url.pathname = `/${schema}`;
  const database = databaseOf(name, url.href);
  return {
    ...database,
    root,
    async drop() {
      await root.query(
        `DROP DATABASE IF EXISTS ${schema}; DROP DATABASE IF EXISTS ${controlSchemaOf(database)}`,
      );
      await root.end();
    },
  };
}

/** Which of the two the tests run on. */
export async function engineOf(connection: Connection): Promise<'mariadb' | 'mysql'> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() version');
  return /mariadb/i.test(String(rows[0]?.['version'])) ? 'mariadb' : 'mysql';
}

/** Numbers that look random and come again with the same seed (Mulberry32, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Waits until `isTrue`, at most half a minute: how long is of no matter but to a run that fails. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  milliseconds = 30_000,
): Promise<void> {
  for (const deadline = Date.now() + milliseconds; !(await isTrue());) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
