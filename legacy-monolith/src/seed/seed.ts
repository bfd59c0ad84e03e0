import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { seededRandom } from './random.js';
import { categories, customers, products, reviews, type Row } from './rows.js';
import { jobRuns, shelf, trade } from './trade-rows.js';

/** `url` names the database to create. `reset` drops it first. The counts are for tests; a shop has the defaults. */
export interface SeedOptions {
  readonly url: string;
  readonly reset?: boolean;
  readonly products?: number;
  readonly customers?: number;
  readonly orders?: number;
  readonly reviews?: number;
}

const SCHEMA = resolve(import.meta.dirname, '../../schema.sql');
const ROWS_PER_INSERT = 500;

/**
 * Creates the database, its schema and rows that are the same in every run. Gives the number of rows by table.
 * Throws one sentence when the database already holds tables and `reset` is not set.
 */
export async function seed(options: SeedOptions): Promise<Record<string, number>> {
  const server = new URL(options.url);
  const database = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/';
  const connection = await mysql.createConnection({
    uri: server.href,
    multipleStatements: true,
    charset: 'utf8mb4',
  });
  try {
    await prepare(connection, database, options.reset ?? false);
    const tables = rows(options);
    await connection.beginTransaction();
    for (const [table, content] of Object.entries(tables)) await insert(connection, table, content);
    await connection.commit();
    return Object.fromEntries(Object.entries(tables).map(([table, content]) => [table, content.length]));
  } finally {
    await connection.end();
  }
}

async function prepare(connection: Connection, database: string, reset: boolean): Promise<void> {
  const name = mysql.escapeId(database, true);
  if (reset) await connection.query(`DROP DATABASE IF EXISTS ${name}`);
  await connection.query(
    `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  );
  await connection.query(`USE ${name}`);
  const [tables] = await connection.query<RowDataPacket[]>('SHOW TABLES');
  if (tables.length > 0)
    throw new Error(`database "${database}" already holds tables: add --reset to drop it and seed it again`);
  await connection.query(await readFile(SCHEMA, 'utf8'));
}

function rows(options: SeedOptions): Record<string, Row[]> {
  const category = categories();
  const product = products(seededRandom(11), options.products ?? 2200, category.length);
  const customer = customers(seededRandom(22), options.customers ?? 1000);
  return {
    category,
    product,
    customer,
    review: reviews(seededRandom(33), options.reviews ?? 6000, product.length, customer.length - 1),
    ...shelf(seededRandom(44), product),
    ...trade(seededRandom(55), options.orders ?? 5000, customer, product),
    job_run: jobRuns(seededRandom(66)),
  };
}

async function insert(connection: Connection, table: string, content: Row[]): Promise<void> {
  for (let at = 0; at < content.length; at += ROWS_PER_INSERT) {
    const chunk = content.slice(at, at + ROWS_PER_INSERT);
    const columns = Object.keys(chunk[0]!);
    const values = chunk.map((row) => columns.map((column) => row[column]));
    await connection.query('INSERT INTO ?? (??) VALUES ?', [table, columns, values]);
  }
}
