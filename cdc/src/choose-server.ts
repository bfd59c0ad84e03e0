import { type Offset, StranglerError } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { positionOf } from './binlog-offset.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { isRetryable } from './database-errors.js';
import { serverReadOnly } from './errors.js';
import { assertGoesOn } from './log-end.js';
import { quoted } from './sql.js';

/**
 * The database on the server to read from now: the first of its servers that takes writes and whose log goes on behind the offset. A position in
 * the files of one server means nothing on another, so without transaction ids there is only the first. Throws what the server that is nearest to it says.
 */
export async function chooseServer(
  database: Database,
  failover: readonly string[],
  offset: Offset | undefined,
): Promise<Database> {
  if (failover.length === 0) return database;
  const position = offset && positionOf(offset);
  if (position?.kind === 'file') return database;
  const failures: unknown[] = [];
  for (const url of [database.url, ...failover]) {
    const candidate = { ...database, url };
    let connection: Connection | undefined;
    try {
      connection = await connect(candidate);
      if (position) await assertGoesOn(connection, database.name, position);
      if (await isReadOnly(connection)) throw serverReadOnly(database.name);
      return candidate;
    } catch (error) {
      failures.push(error);
    } finally {
      connection?.destroy();
    }
  }
  throw failures.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** What may pass goes before what does not, and what a server answers before silence. */
const rank = (error: unknown): number =>
  !isRetryable(error) ? 2 : error instanceof StranglerError && error.code === 'DATABASE_UNREACHABLE' ? 1 : 0;

async function isReadOnly(connection: Connection): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT @@GLOBAL.read_only AS value');
  return !['0', 'OFF'].includes(String(rows[0]?.['value']));
}

/** The offset that the target of a stream stands at; undefined before its first start. */
export async function storedOffset(target: Database, stream: string): Promise<Offset | undefined> {
  const connection = await connect(target);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT log_offset FROM ${quoted(controlSchemaOf(target), 'apply_offset')} WHERE stream = ?`,
      [stream],
    );
    return rows[0] && { text: String(rows[0]['log_offset']) };
  } catch (error) {
    // Before the first start there is no such table.
    if ([1146, 1049].includes((error as { errno?: number }).errno ?? 0)) return undefined;
    throw error;
  } finally {
    connection.destroy();
  }
}
