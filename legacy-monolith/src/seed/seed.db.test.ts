import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { grossCents, toUnits, type PriceParts } from '../catalog/price.js';
import { seed } from './seed.js';

const server = process.env['STRANGLER_MYSQL_URL']!;
const names = ['one', 'two'].map((name) => `shop_${name}_${randomBytes(4).toString('hex')}`);
const [first = '', second = ''] = names;
let connection: Connection;

beforeAll(async () => {
  connection = await mysql.createConnection(server);
  for (const name of names) await seed({ url: new URL(name, server).href });
});

afterAll(async () => {
  for (const name of names) await connection.query(`DROP DATABASE IF EXISTS ${name}`);
  await connection.end();
});

async function select<T>(sql: string): Promise<T[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows as T[];
}

describe('the seed', () => {
  it('is the same in every run', async () => {
    const tables = await select<Record<string, string>>(`SHOW TABLES FROM ${first}`);
    expect(tables).toHaveLength(14);
    for (const [table] of tables.map((row) => Object.values(row))) {
      const checksum = async (name: string) =>
        (await select<{ Checksum: number }>(`CHECKSUM TABLE ${name}.${table}`))[0]?.Checksum;
      expect([table, await checksum(second)]).toEqual([table, await checksum(first)]);
    }
  });

  it('is as large as a shop that is worth moving', async () => {
    for (const [table, least] of Object.entries({
      product: 2000,
      customer: 1000,
      orders: 5000,
      order_line: 5000,
    })) {
      const [row] = await select<{ n: number }>(`SELECT COUNT(*) AS n FROM ${first}.${table}`);
      expect(row?.n).toBeGreaterThanOrEqual(least);
    }
  });

  it('prices 5 to 20 percent of the products so that rounding once is a cent off', async () => {
    const rows = await select<PriceParts>(
      `SELECT price, discount_pct, tax_pct FROM ${first}.product WHERE price IS NOT NULL AND is_visible = 1`,
    );
    const once = ({ price, discount_pct, tax_pct }: PriceParts): number => {
      const factor = (1000 - toUnits(discount_pct ?? '0', 1)) * (1000 + toUnits(tax_pct ?? '0', 1));
      return Math.floor((toUnits(price ?? '0', 2) * factor + 500_000) / 1_000_000);
    };
    const share = rows.filter((row) => once(row) !== grossCents(row)).length / rows.length;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.2);
  });

  it('counts as reserved what open reservations hold', async () => {
    const [row] = await select<{ reserved: string; held: string }>(
      `SELECT (SELECT SUM(reserved) FROM ${first}.stock) AS reserved,
              (SELECT SUM(qty) FROM ${first}.stock_reservation WHERE COALESCE(released, 0) = 0) AS held`,
    );
    expect(Number(row?.held)).toBeGreaterThan(0);
    expect(row?.reserved).toBe(row?.held);
  });

  it('stores umlauts, accents and the euro sign in the latin1 column as one byte each', async () => {
    const [row] = await select<{ bytes: number; euro: string }>(
      `SELECT MAX(LENGTH(manufacturer) - CHAR_LENGTH(manufacturer)) AS bytes,
              SUM(manufacturer LIKE '%€%') AS euro FROM ${first}.product`,
    );
    expect(row).toMatchObject({ bytes: 0 });
    expect(Number(row?.euro)).toBeGreaterThan(0);
  });

  it('refuses a database that holds tables, and drops it only when told so', async () => {
    const url = new URL(first, server).href;
    await expect(seed({ url })).rejects.toThrow(`database "${first}" already holds tables: add --reset`);
    const counts = await seed({ url, reset: true, products: 10, customers: 20, orders: 5, reviews: 7 });
    expect(counts).toMatchObject({ product: 10, customer: 21, orders: 5, review: 7, stock: 10 });
  });
});
