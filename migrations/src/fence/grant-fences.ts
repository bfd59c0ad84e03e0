// Long: the fence of accounts that may make no triggers, whole: what it remembers, what it revokes and what it waits for.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseAccount } from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { fenceAccountTooWide, fenceNotPutUp } from '../errors.js';
import { type AccountGrants, accountOf, grantsOf } from './account-grants.js';
import {
  errorNumber,
  type FenceDatabase,
  isNotThere,
  quoted,
  rowsOf,
  withConnection,
} from './fence-database.js';
import { fenceRows, toRemoveRows, toWriteRows } from './fence-rows.js';
import type { FenceMoved, FenceOrder, Fences, FenceStart } from './fences.js';
import { refusalOf } from './refusal.js';
import { blockersOf, type Transaction } from './transactions.js';
import { fenceOf } from './trigger-text.js';

const INTERRUPTED = 1317;
const LOCK_WAIT_TIMEOUT = 1205;
/** A statement that was checked just before may open its tables between two locks. */
const BETWEEN_LOCKS_MS = 100;

/**
 * Fences for a database whose account may make no triggers: the privileges of the application's one account are revoked. They stop nobody else, no code that runs with the rights of its definer, and no applier
 * that should be over.
 */
export const grantFences = (database: FenceDatabase, account: DatabaseAccount): Fences => {
  const kept = quoted(database.control, 'fence_grant');
  const grantee = accountOf(account);
  const tableOf = (table: string) => quoted(database.schema, table);
  const revoke = (table: string, held: readonly string[]) =>
    held.length === 0 ? [] : [`REVOKE ${held.join(', ')} ON ${tableOf(table)} FROM ${grantee}`];
  const give = (table: string, held: readonly string[]) =>
    held.length === 0 ? [] : [`GRANT ${held.join(', ')} ON ${tableOf(table)} TO ${grantee}`];

  /** What the account had on each table when its fence was put up. */
  const had = async (
    connection: Connection,
    tables: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>> =>
    new Map(
      (
        await rowsOf(connection, `SELECT tbl, privileges FROM ${kept} WHERE tbl IN (?)`, [tables]).catch(
          (error: unknown) => {
            if (isNotThere(error)) return [];
            throw error;
          },
        )
      ).map((row) => [String(row['tbl']), String(row['privileges']).split(', ').filter(Boolean)]),
    );
  const run = async (connection: Connection, statements: readonly string[]) => {
    for (const statement of statements)
      await connection.query(statement).catch(async (error: unknown) => {
        throw (await refusalOf(database, connection, error)) ?? fenceNotPutUp(database.name, error);
      });
  };
  const narrow = async (connection: Connection): Promise<AccountGrants> => {
    const grants = await grantsOf(connection, database, account);
    if (grants.wide.length > 0) throw fenceAccountTooWide(database.name, grantee, grants.wide);
    return grants;
  };

  const toInstall = async (connection: Connection, tables: readonly string[], start: FenceStart) => {
    if (tables.length === 0) return [];
    const grants = await narrow(connection);
    const rows = await toWriteRows(database, connection, tables, start);
    const known = await had(connection, tables);
    const fresh = tables.filter((table) => !known.has(table));
    if (fresh.length === 0) return rows;
    return [
      ...rows,
      `CREATE TABLE IF NOT EXISTS ${kept} (tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, privileges VARCHAR(255) NOT NULL) ENGINE=InnoDB`,
      `INSERT IGNORE INTO ${kept} (tbl, privileges) VALUES ${fresh.map((table) => `(${escape(table)}, ${escape(grants.on(table).join(', '))})`).join(', ')}`,
      ...(start.open ? [] : fresh.flatMap((table) => revoke(table, grants.on(table)))),
    ];
  };
  const toRemove = async (connection: Connection, tables: readonly string[]) => {
    const known = tables.length === 0 ? new Map<string, readonly string[]>() : await had(connection, tables);
    if (known.size === 0) return [];
    const grants = await grantsOf(connection, database, account);
    return [
      ...[...known].flatMap(([table, held]) =>
        give(
          table,
          held.filter((each) => !grants.on(table).includes(each)),
        ),
      ),
      `DELETE FROM ${kept} WHERE tbl IN (${[...known.keys()].map((table) => escape(table)).join(', ')})`,
      ...(await toRemoveRows(database, connection, tables)),
    ];
  };

  const move = async (tables: readonly string[], closed: boolean, order: FenceOrder): Promise<FenceMoved> => {
    if (tables.length === 0) return { kind: 'moved' };
    const late = AbortSignal.timeout(order.timeoutMs);
    // All in one session that holds a lock of the server: when it breaks, nothing more of it is done, and only then does another coordinator get in.
    return withConnection(database, async (connection) => {
      const lock = `strangler-fence:${createHash('sha256').update(database.schema).digest('hex').slice(0, 32)}`;
      const [got] = await rowsOf(connection, 'SELECT GET_LOCK(?, ?) got', [
        lock,
        Math.ceil(order.timeoutMs / 1_000),
      ]);
      if (Number(got?.['got']) !== 1) return { kind: 'blocked', blockers: [] };
      const rows = await fenceRows(database, connection, tables);
      const known = await had(connection, tables);
      const missing = tables.filter((table) => !rows.has(table) || !known.has(table));
      if (missing.length > 0) return { kind: 'missing', tables: missing };
      const epoch = Math.max(...[...rows.values()].map((row) => row.epoch));
      const coordinator = Math.max(...[...rows.values()].map((row) => row.coordinator));
      const isOver =
        closed &&
        order.epoch > 0 &&
        [...rows.values()].some((row) => row.epoch === order.epoch && !row.closed);
      if (epoch > order.epoch || coordinator > order.coordinator || isOver)
        return { kind: 'stale', epoch, coordinator };
      const grants = await narrow(connection);
      const write = () =>
        connection.query(
          `UPDATE ${fenceOf(database)} SET closed = ?, epoch = ?, coordinator = ?, reason = ?, at = NOW(6) WHERE tbl IN (?)`,
          [closed ? 1 : 0, order.epoch, order.coordinator, order.reason?.slice(0, 255) ?? null, tables],
        );
      const giveAll = () =>
        run(
          connection,
          tables.flatMap((table) => give(table, known.get(table) ?? [])),
        );
      if (!closed) {
        await write();
        await giveAll();
        return { kind: 'moved' };
      }
      await run(
        connection,
        tables.flatMap((table) => revoke(table, grants.on(table))),
      );
      const blockers = await waitForWriters(database, connection, tables.map(tableOf), late, account.user);
      if (blockers !== null) {
        await giveAll();
        return { kind: 'blocked', blockers };
      }
      await write();
      return { kind: 'moved' };
    });
  };

  return {
    toInstall: (tables, start) =>
      withConnection(database, (connection) => toInstall(connection, tables, start)),
    install: (tables, start) =>
      withConnection(database, async (connection) =>
        run(connection, await toInstall(connection, tables, start)),
      ),
    toRemove: (tables) => withConnection(database, (connection) => toRemove(connection, tables)),
    remove: (tables) =>
      withConnection(database, async (connection) => run(connection, await toRemove(connection, tables))),
    close: (tables, order) => move(tables, true, order),
    open: (tables, order) => move(tables, false, order),
    look: (tables) =>
      withConnection(database, async (connection) => {
        if (tables.length === 0) return [];
        const rows = await fenceRows(database, connection, tables);
        const known = await had(connection, tables);
        const grants = await grantsOf(connection, database, account);
        return tables.map((table) => {
          const state = rows.get(table) ?? null;
          const held = grants.on(table);
          const lost = (known.get(table) ?? []).filter((each) => !held.includes(each));
          const defects = [
            ...(state === null ? ['has no fence row'] : []),
            ...(state !== null && !known.has(table) ? ['has no note of what to give back'] : []),
            ...(grants.wide.length > 0
              ? [`is open to ${grantee} by more than its own grants: ${grants.wide.join(', ')}`]
              : []),
            ...(state?.closed && held.length > 0 ? [`lets ${grantee} still ${held.join(', ')}`] : []),
            ...(state && !state.closed && lost.length > 0
              ? [`does not let ${grantee} ${lost.join(', ')} although it is open`]
              : []),
          ];
          return { table, state, defects, gaps: [`only ${grantee} is kept from writing it`] };
        });
      }),
  };
};

/** Locks the tables twice, for which whoever has written them has to have ended; null when they have, else who has not in time. */
async function waitForWriters(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
  late: AbortSignal,
  user: string,
): Promise<readonly Transaction[] | null> {
  let blockers: readonly Transaction[] = [];
  const interrupt = async () =>
    withConnection(database, async (other) => {
      blockers = (await blockersOf(other, connection.threadId)).filter(({ account }) =>
        account.startsWith(`${user}@`),
      );
      await other.query(`KILL QUERY ${connection.threadId}`);
    }).catch(() => {});
  let interrupting: Promise<void> | undefined;
  const onLate = () => {
    interrupting = interrupt();
  };
  late.addEventListener('abort', onLate, { once: true });
  try {
    for (let time = 0; time < 2; time++) {
      if (time > 0) await delay(BETWEEN_LOCKS_MS);
      await connection.query(`LOCK TABLES ${tables.map((table) => `${table} READ`).join(', ')}`);
      await connection.query('UNLOCK TABLES');
    }
    return late.aborted ? blockers : null;
  } catch (error) {
    const number = errorNumber(error);
    if (number !== INTERRUPTED && number !== LOCK_WAIT_TIMEOUT) throw error;
    return blockers;
  } finally {
    late.removeEventListener('abort', onLate);
    if (interrupting !== undefined) {
      await interrupting;
      // An interruption that came too late would end the next statement.
      await connection.query('DO 0').catch(() => {});
      await connection.query('UNLOCK TABLES').catch(() => {});
    }
  }
}
