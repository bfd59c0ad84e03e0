import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';

/** A database name of its own on the server, and a connection to make it what the test needs. */
export interface OrdersDatabase {
  readonly url: string;
  readonly name: string;
  query(sql: string, values?: unknown[]): Promise<unknown>;
  drop(): Promise<void>;
}

/** The database itself is not created: that is what migrating does. */
export async function ordersDatabase(server: string): Promise<OrdersDatabase> {
  const name = `orders_${randomBytes(4).toString('hex')}`;
  const connection: Connection = await createConnection({ uri: server, multipleStatements: true });
  return {
    url: new URL(`/${name}`, server).href,
    name,
    query: async (sql, values) => (await connection.query(sql, values))[0],
    drop: async () => {
      await connection.query(`DROP DATABASE IF EXISTS ${name}`);
      await connection.end();
    },
  };
}
