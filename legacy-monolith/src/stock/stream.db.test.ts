import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import mysql from 'mysql2/promise';
import { readEnvironment } from '../environment.js';
import { seed } from '../seed/seed.js';
import { startShop } from '../shop.js';

it('the shop closes although somebody listens to the stream', async () => {
  const server = process.env['STRANGLER_MYSQL_URL']!;
  const database = `shop_${randomBytes(4).toString('hex')}`;
  const url = new URL(database, server).href;
  await seed({ url, products: 10, customers: 5, orders: 1, reviews: 1 });
  const connection = await mysql.createConnection(server);
  try {
    const shop = await startShop(readEnvironment({ SHOP_DATABASE_URL: url, SHOP_PORT: '0' }));
    const stream = await new Promise<string>((resolve, reject) => {
      get(`${shop.url}/api/stock/stream`, (response) => {
        resolve(shop.close().then(() => text(response)));
      }).on('error', reject);
    });
    expect(stream).toMatch(/^: /);
  } finally {
    await connection.query(`DROP DATABASE ${database}`);
    await connection.end();
  }
});
