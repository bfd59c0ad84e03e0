import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import mysql from 'mysql2/promise';
import { readEnvironment } from './environment.js';
import { seed } from './seed/seed.js';
import { startShop } from './shop.js';

it('a port that is taken stops the start, and nothing of the shop stays open', async () => {
  const server = process.env['STRANGLER_MYSQL_URL']!;
  const database = `shop_${randomBytes(4).toString('hex')}`;
  const url = new URL(database, server);
  await seed({ url: url.href, products: 10, customers: 5, orders: 1, reviews: 1 });
  const connection = await mysql.createConnection(server);
  try {
    // The port of the database server is one that is certainly in use.
    const start = startShop(readEnvironment({ SHOP_DATABASE_URL: url.href, SHOP_PORT: url.port }));
    await expect(start).rejects.toThrow(`"127.0.0.1:${url.port}" cannot be used (EADDRINUSE)`);
    const [left] = await connection.query('SELECT id FROM information_schema.processlist WHERE db = ?', [
      database,
    ]);
    expect(left).toEqual([]);
  } finally {
    await connection.query(`DROP DATABASE ${database}`);
    await connection.end();
  }
});
