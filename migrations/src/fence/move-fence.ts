import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import {
  connectTo,
  errorNumber,
  type FenceDatabase,
  isNotThere,
  quoted,
  rowsOf,
  withConnection,
} from './fence-database.js';
import type { FenceMoved, FenceOrder } from './fences.js';
import { blockersOf } from './transactions.js';
import { FENCE_TABLE } from './trigger-text.js';

const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;
const BETWEEN_TRIES_MS = 5;

/** Sets the fence rows of all these tables, or of none. Waits for every transaction that has read one of them, `timeoutMs` at most over all. */
export async function moveFence(
  database: FenceDatabase,
  tables: readonly string[],
  closed: boolean,
  order: FenceOrder,
): Promise<FenceMoved> {
  const late = AbortSignal.timeout(order.timeoutMs);
  for (;;) {
    const moved = await tryToMove(database, tables, closed, order, late);
    if (moved !== 'deadlock') return moved;
    // The writer that had the other half of the locks goes first.
    await delay(BETWEEN_TRIES_MS);
  }
}

async function tryToMove(
  database: FenceDatabase,
  tables: readonly string[],
  closed: boolean,
  order: FenceOrder,
  late: AbortSignal,
): Promise<FenceMoved | 'deadlock'> {
  const connection = await connectTo(database);
  try {
    const seconds = Math.ceil(order.timeoutMs / 1_000) + 1;
    await connection.query(`SET innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds}`);
    // Rows of other groups are neither locked nor waited for.
    await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await connection.query('START TRANSACTION');
    const rows = await lockRows(connection, database, tables, late);
    if (rows === 'late') return { kind: 'blocked', blockers: await endWaiting(database, connection) };
    if (rows === 'deadlock') return 'deadlock';
    const found = new Set(rows.map(({ table }) => table));
    const missing = tables.filter((table) => !found.has(table));
    if (missing.length > 0) return { kind: 'missing', tables: missing };
    const epoch = Math.max(...rows.map((row) => row.epoch));
    const coordinator = Math.max(...rows.map((row) => row.coordinator));
    // What was opened under an epoch is not closed under the same: an order to close that comes late, behind the attempt's end, would shut everybody out for good.
    const isOver = closed && rows.some((row) => row.epoch === order.epoch && row.isOpen);
    if (epoch > order.epoch || coordinator > order.coordinator || (isOver && order.epoch > 0))
      return { kind: 'stale', epoch, coordinator };
    const [{ affectedRows }] = await connection.query<ResultSetHeader>(
      `UPDATE ${quoted(database.control, FENCE_TABLE)} FORCE INDEX (PRIMARY)
          SET closed = ?, epoch = ?, coordinator = ?, reason = ?, at = NOW(6) WHERE tbl IN (?)`,
      [closed ? 1 : 0, order.epoch, order.coordinator, order.reason?.slice(0, 255) ?? null, tables],
    );
    if (affectedRows !== tables.length)
      throw new Error(`${affectedRows} of ${tables.length} fence rows were set although all are locked`);
    await connection.query('COMMIT');
    return { kind: 'moved' };
  } finally {
    connection.destroy();
  }
}

type Locked = {
  readonly table: string;
  readonly epoch: number;
  readonly coordinator: number;
  readonly isOpen: boolean;
};

/** Locked before anything is written: of two transactions in a deadlock the one that has written less is given up, and that is to be ours. */
async function lockRows(
  connection: Connection,
  database: FenceDatabase,
  tables: readonly string[],
  late: AbortSignal,
): Promise<readonly Locked[] | 'late' | 'deadlock'> {
  const asked = rowsOf(
    connection,
    // Without the index a small table would be read, and locked, as a whole.
    `SELECT tbl, epoch, coordinator, closed FROM ${quoted(database.control, FENCE_TABLE)} FORCE INDEX (PRIMARY)
      WHERE tbl IN (?) ORDER BY tbl FOR UPDATE`,
    [tables],
  ).then(
    (rows) =>
      rows.map((row) => ({
        table: String(row['tbl']),
        epoch: Number(row['epoch']),
        coordinator: Number(row['coordinator']),
        isOpen: Number(row['closed']) === 0,
      })),
    (error: unknown) => {
      const number = errorNumber(error);
      if (isNotThere(error)) return [];
      if (number === DEADLOCK) return 'deadlock' as const;
      if (number === LOCK_WAIT_TIMEOUT) return 'late' as const;
      throw error;
    },
  );
  const ended = new AbortController();
  const isLate = new Promise<'late'>((resolve) => {
    if (late.aborted) resolve('late');
    late.addEventListener('abort', () => resolve('late'), { signal: ended.signal });
  });
  // Whichever of the two is not waited for any more may still fail.
  asked.catch(() => {});
  try {
    return await Promise.race([asked, isLate]);
  } finally {
    ended.abort();
  }
}

/** Who is waited for; then the waiting session is ended at the server too, so that writers do not queue behind it. */
const endWaiting = (database: FenceDatabase, waiting: Connection) =>
  withConnection(database, async (connection) => {
    const blockers = await blockersOf(connection, waiting.threadId);
    // It may have ended by itself.
    await connection.query(`KILL ${waiting.threadId}`).catch(() => {});
    return blockers;
  });
