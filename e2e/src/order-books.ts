import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { World } from './world.js';

const rowsOf = async (url: string, sql: string): Promise<readonly RowDataPacket[]> => {
  const connection = await createConnection({ uri: url, dateStrings: true });
  try {
    return (await connection.query<RowDataPacket[]>(sql))[0];
  } finally {
    await connection.end();
  }
};

/** The numbers of all orders as each side's database has them. */
export async function orderBooks(
  world: World,
): Promise<{ readonly shop: readonly string[]; readonly service: readonly string[] }> {
  const [shop, service] = await Promise.all([
    rowsOf(world.databases.shop, 'SELECT order_no number FROM orders ORDER BY id'),
    rowsOf(world.databases.orders, 'SELECT number FROM customer_order ORDER BY id'),
  ]);
  const numbers = (rows: readonly RowDataPacket[]) => rows.map((row) => String(row['number']));
  return { shop: numbers(shop), service: numbers(service) };
}

/** What is on the shelf, by product, as each side's database has it. */
export async function stockBooks(world: World): Promise<{ readonly shop: string; readonly service: string }> {
  const [shop, service] = await Promise.all([
    rowsOf(world.databases.shop, 'SELECT product_id, on_hand, reserved FROM stock ORDER BY product_id'),
    rowsOf(
      world.databases.orders,
      'SELECT product_id, on_hand, reserved FROM stock_level ORDER BY product_id',
    ),
  ]);
  return { shop: JSON.stringify(shop), service: JSON.stringify(service) };
}

/** Somebody at a SQL console of the monolith's database writes stock; answers what the server says. */
export async function writeStockBySql(world: World): Promise<string> {
  return rowsOf(world.databases.shop, 'UPDATE stock SET on_hand = on_hand + 1').then(
    () => 'written',
    (error: Error) => error.message,
  );
}

/** A product that the nightly job fills up when there is little of it. */
export const activeProduct = async (world: World): Promise<number> =>
  Number(
    (await rowsOf(world.databases.shop, "SELECT id FROM product WHERE status = 'active' LIMIT 1"))[0]?.['id'],
  );
