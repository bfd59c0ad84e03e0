import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { readEnvironment, type Environment } from '../environment.js';
import { seed } from '../seed/seed.js';
import { startShop } from '../shop.js';
import { Browser } from './browser.js';

export interface OpenShop {
  readonly url: string;
  readonly environment: Environment;
  readonly stranger: () => Browser;
  readonly customer: () => Promise<Browser>;
  readonly admin: () => Promise<Browser>;
  /** Rows of a statement on the shop's database. */
  readonly rows: (sql: string, parameters?: unknown[]) => Promise<RowDataPacket[]>;
  readonly close: () => Promise<void>;
}

/** A small shop on a database of its own; close() leaves nothing of it. */
export async function openShop(): Promise<OpenShop> {
  const server = process.env['STRANGLER_MYSQL_URL'];
  if (!server)
    throw new Error('"STRANGLER_MYSQL_URL" is missing: run the tests from the root with "npm run jest"');
  const database = `shop_${randomBytes(4).toString('hex')}`;
  const url = new URL(database, server).href;
  await seed({ url, products: 60, customers: 30, orders: 40, reviews: 80 });
  const uploadDir = await mkdtemp(join(tmpdir(), 'shop-uploads-'));
  const environment = readEnvironment({ SHOP_DATABASE_URL: url, SHOP_PORT: '0', SHOP_UPLOAD_DIR: uploadDir });
  const shop = await startShop(environment);
  const connection: Connection = await mysql.createConnection(url);
  const stranger = (): Browser => new Browser(shop.url);
  return {
    url: shop.url,
    environment,
    stranger,
    customer: () => stranger().logIn('customer17@shop.test', 'secret17'),
    admin: () => stranger().logIn('admin@shop.test', 'admin'),
    rows: async (sql, parameters) => (await connection.query<RowDataPacket[]>(sql, parameters))[0],
    close: async () => {
      await shop.close();
      await connection.query(`DROP DATABASE ${database}`);
      await connection.end();
      await rm(uploadDir, { recursive: true, force: true });
    },
  };
}
