import type { Side } from '@strangler/contracts';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import type { Holdings } from './history.js';
import { DIALECTS, logTriggers, TABLES } from './tables.js';

/** A private database server: `restart` ends it by a signal and starts it on the same data and port. */
export type HurtServer = {
  readonly url: string;
  readonly pid: () => number;
  readonly restart: (signal: NodeJS.Signals) => Promise<void>;
};

export const ITEMS = [1, 2, 3, 4, 5, 6] as const;
export const CELLS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** The last ones are sold out soon. */
export const FIRST_STOCK: ReadonlyMap<number, number> = new Map(
  ITEMS.map((item) => [item, item > 4 ? 40 : 1_000_000]),
);

/** A connection that may be lost at any moment; what breaks while nobody waits for it is told by the next statement. */
export async function openConnection(uri: string): Promise<Connection> {
  const connection = await createConnection({
    uri,
    multipleStatements: true,
    dateStrings: true,
    connectTimeout: 3_000,
  });
  connection.on('error', () => {});
  return connection;
}

export async function withConnection<Result>(
  url: string,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await openConnection(url);
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

export async function rowsOf(
  connection: Connection,
  sql: string,
  values: unknown[] = [],
): Promise<readonly RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  return rows;
}

/** The database of one side, empty but for its tables; legacy's has stock and cells. */
export async function makeDatabase(server: string, name: string, side: Side): Promise<void> {
  const fill =
    side === 'service'
      ? ''
      : `INSERT INTO stock VALUES ${[...FIRST_STOCK].map(([item, pieces]) => `(${item}, ${pieces})`).join(', ')};
         INSERT INTO cell VALUES ${CELLS.map((cell) => `(${cell}, '', 0)`).join(', ')};`;
  await withConnection(server, (connection) =>
    connection.query(
      `CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}; ${TABLES[side]} ${logTriggers(side, undefined)} ${fill}`,
    ),
  );
}

/** All that a side has. */
export async function readHoldings(url: string, side: Side): Promise<Holdings> {
  const { orders, stocks, cells } = DIALECTS[side];
  return withConnection(url, async (connection) => {
    // One moment of it.
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    const all = await Promise.all([
      rowsOf(connection, orders),
      rowsOf(connection, stocks),
      rowsOf(connection, cells),
      rowsOf(
        connection,
        "SELECT kind, token, what, amount, item, epoch, TIMESTAMPDIFF(MICROSECOND, '2026-01-01', at) at FROM written ORDER BY nr",
      ),
    ]);
    const [orderRows, stockRows, cellRows, logRows] = all;
    return {
      orders: orderRows.map((row) => ({
        number: Number(row['number']),
        token: String(row['token']),
        item: Number(row['item']),
        quantity: Number(row['quantity']),
      })),
      stock: new Map(stockRows.map((row) => [Number(row['item']), Number(row['pieces'])])),
      cells: new Map(
        cellRows.map((row) => [
          Number(row['cell']),
          { token: String(row['token']), version: Number(row['version']) },
        ]),
      ),
      log: logRows.map((row) => ({
        kind: row['kind'] === 'order' ? 'order' : 'cell',
        token: String(row['token']),
        key: Number(row['what']),
        amount: Number(row['amount']),
        item: row['item'] === null ? null : Number(row['item']),
        epoch: Number(row['epoch']),
        at: Number(row['at']),
      })),
    };
  });
}
