import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { Dialect } from '../tables.js';

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly text: string;
};
export type Answered = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** What an application says of a write that it knows was not done. */
export const NOT_DONE = ['SOLD_OUT', 'FENCED', 'ROLLED_BACK', 'STALE_EPOCH', 'EPOCH_UNKNOWN'] as const;

/** The application: each write is one transaction, and says for certain when it was not done. */
export function answerOf(pool: Pool, dialect: Dialect) {
  async function write(
    statements: readonly (readonly [string, unknown[]])[],
    result?: readonly [string, unknown[]],
  ): Promise<number | Answered> {
    let connection;
    try {
      connection = await pool.getConnection();
    } catch (error) {
      return refused(error);
    }
    try {
      await connection.query('START TRANSACTION');
      let id = 0;
      for (const [sql, values] of statements) {
        const [{ affectedRows, insertId }] = await connection.query<ResultSetHeader>(sql, values);
        if (affectedRows === 0) {
          connection.destroy();
          return { status: 409, body: { code: 'SOLD_OUT' } };
        }
        id = insertId;
      }
      if (result) {
        const [[row]] = await connection.query<RowDataPacket[]>(...result);
        id = Number(row?.['version']);
      }
      try {
        await connection.query('COMMIT');
      } catch (error) {
        connection.destroy();
        return { status: 500, body: { code: 'COMMIT_UNKNOWN', message: String(error) } };
      }
      connection.release();
      return id;
    } catch (error) {
      // The server rolls back what a connection leaves behind.
      connection.destroy();
      return refused(error);
    }
  }

  return async ({ method, path, text }: Asked): Promise<Answered> => {
    const [, what, key = ''] = path.split('/');
    if (what === 'health') return { status: 200, body: {} };
    if (method === 'GET') return read(what ?? '', Number(key));
    const asked = JSON.parse(text) as { token: string; item: number; quantity: number };
    const isOrder = what === 'orders';
    const result = isOrder
      ? await write([[dialect.reserve, [asked.quantity, asked.item, asked.quantity]], dialect.insert(asked)])
      : await write([[dialect.put, [asked.token, Number(key)]]], [dialect.version, [Number(key)]]);
    if (typeof result !== 'number') return result;
    return isOrder ? { status: 201, body: { number: result } } : { status: 200, body: { version: result } };
  };

  async function read(what: string, key: number): Promise<Answered> {
    const [sql, column] = what === 'orders' ? [dialect.orders, 'number'] : ([dialect.cells, 'cell'] as const);
    try {
      const [[row]] = await pool.query<RowDataPacket[]>(
        `SELECT * FROM (${sql.replace(/ ORDER BY .*/, '')}) rows_ WHERE ${column} = ?`,
        [key],
      );
      return row ? { status: 200, body: row } : { status: 404, body: { code: 'NOT_FOUND' } };
    } catch (error) {
      return refused(error);
    }
  }
}

function refused(error: unknown): Answered {
  const message = (error as Error).message;
  return { status: 503, body: { code: /FENCED:/.test(message) ? 'FENCED' : 'ROLLED_BACK', message } };
}
