import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { GtidPosition, LogPosition } from './binlog-offset.js';
import { type GtidSet, gtidText, includesGtids, parseGtids } from './gtid-set.js';
import { logBehind, logLost, logPurged } from './errors.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables of the server; one that it does not have is undefined. */
async function variablesOf(connection: Connection, names: readonly string[]): Promise<Variables> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(', ')})`,
  );
  return Object.fromEntries(
    rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]),
  );
}

/** The ids of everything in the log of the server, undefined where transactions have none. */
async function executedOf(connection: Connection): Promise<GtidSet | undefined> {
  const { gtid_mode: mode, gtid_binlog_pos: position } = await variablesOf(connection, [
    'gtid_mode',
    'gtid_binlog_pos',
  ]);
  if (position !== undefined) return parseGtids('mariadb', position);
  if (mode?.toUpperCase() !== 'ON') return undefined;
  // SHOW VARIABLES cuts long values off.
  return parseGtids('mysql', await selected(connection, '@@GLOBAL.gtid_executed'));
}

async function selected(connection: Connection, expression: string): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>(`SELECT ${expression} AS value`);
  return String(rows[0]?.['value']);
}

/**
 * Behind everything that was committed before the call: by transaction ids where the server has them, else by file and position.
 * `SHOW MASTER STATUS` is gone from MySQL 8.4, and its new name is unknown to the others.
 */
export async function logEnd(connection: Connection, kind?: LogPosition['kind']): Promise<LogPosition> {
  const executed = kind === 'file' ? undefined : await executedOf(connection);
  if (executed) return { kind: 'gtid', executed };
  const [rows] = await connection
    .query<RowDataPacket[]>('SHOW MASTER STATUS')
    .catch(() => connection.query<RowDataPacket[]>('SHOW BINARY LOG STATUS'));
  return { kind: 'file', file: String(rows[0]?.['File']), position: Number(rows[0]?.['Position']) };
}

/**
 * Whether the server has everything up to the position and its log still has everything behind it. Throws LOG_BEHIND when it may yet get there, LOG_LOST
 * when it has lost transactions of its own, LOG_PURGED when its log begins later.
 */
export async function assertGoesOn(
  connection: Connection,
  database: string,
  { executed: wanted }: GtidPosition,
): Promise<void> {
  const executed = await executedOf(connection);
  const text = gtidText(wanted);
  if (!executed || executed.engine !== wanted.engine) throw logLost(database, text);
  if (!includesGtids(executed, wanted)) {
    const { server_id: id = '', server_uuid: uuid = '' } = await variablesOf(connection, [
      'server_id',
      'server_uuid',
    ]);
    throw isOwnLost(wanted, executed, wanted.engine === 'mysql' ? uuid.toLowerCase() : id)
      ? logLost(database, text)
      : logBehind(database, text);
  }
  if (wanted.engine !== 'mysql') return;
  const purged = parseGtids('mysql', await selected(connection, '@@GLOBAL.gtid_purged'));
  if (purged && !includesGtids(wanted, purged)) throw logPurged(database, text);
}

/** A server is never behind on what it wrote itself: after a reset or a crash of a log that was not synced, that is gone. */
function isOwnLost(wanted: GtidSet, executed: GtidSet, server: string): boolean {
  if (wanted.engine === 'mariadb')
    return (
      executed.engine === 'mariadb' &&
      [...wanted.domains].some(
        ([domain, last]) =>
          last.server === server && (executed.domains.get(domain)?.sequence ?? -1n) < last.sequence,
      )
    );
  const own = new Map([...wanted.sources].filter(([source]) => source.split(':')[0] === server));
  return !includesGtids(executed, { engine: 'mysql', sources: own });
}
