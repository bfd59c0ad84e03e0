import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { readTable, type Table } from '../table.js';
import { type ScratchDatabase, seeded } from './databases.js';
import { statementsOf } from './script.js';

const folder = join(import.meta.dirname, '..', '..', '..', '.strangler', 'sakila');
const SCHEMA = join(folder, 'mysql-sakila-schema.sql');
const DATA = join(folder, 'mysql-sakila-insert-data.sql');
export const ROWS = 400;

/** Its schema with triggers and procedures, and its rows or such that are made up; resolves with its tables. */
export async function loadSakila({ root, schema }: ScratchDatabase): Promise<readonly Table[]> {
  // Its ON UPDATE CASCADE does nothing here: no statement changes a key.
  await root.query("SET foreign_key_checks = 0, unique_checks = 0, sql_mode = ''");
  for (const sql of statementsOf(readFileSync(SCHEMA, 'utf8')))
    if (!/^\s*(?:CREATE SCHEMA|DROP SCHEMA|USE|SET)\b/i.test(sql))
      await root.query(sql.replaceAll(/\bsakila\./g, `${schema}.`));
  const [names] = await root.query<RowDataPacket[]>(
    "SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1",
    [schema],
  );
  const tables: Table[] = [];
  for (const { name } of names) tables.push((await readTable(root, schema, String(name))) as Table);
  if (!existsSync(DATA)) await fill(root, tables);
  else
    for (const sql of statementsOf(readFileSync(DATA, 'utf8')))
      if (!/^\s*USE\b/i.test(sql)) await root.query(sql);
  return tables;
}

/** An empty table of the same columns, without triggers and foreign keys. */
export async function likeSakila(
  to: ScratchDatabase,
  from: ScratchDatabase,
  table: string,
  name = table,
): Promise<void> {
  await to.root.query(`CREATE TABLE ${name} LIKE ${from.schema}.${table}`);
  // Text that is searched may be of an engine without transactions.
  await to.root.query(`ALTER TABLE ${name} ENGINE = InnoDB`);
}

/** What its application does: rents, gives back, pays, renames, deletes; triggers and defaults do their part. */
export async function work(root: Connection): Promise<void> {
  await root.query(`
    START TRANSACTION;
    INSERT INTO rental (rental_date, inventory_id, customer_id, staff_id) SELECT NOW(), inventory_id, 1, 1 FROM inventory ORDER BY inventory_id LIMIT 50;
    INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date) SELECT customer_id, staff_id, rental_id, 4.99, NOW() FROM rental ORDER BY rental_id DESC LIMIT 50;
    UPDATE rental SET return_date = NOW() WHERE return_date IS NULL ORDER BY rental_id DESC LIMIT 20;
    COMMIT;
    UPDATE film SET title = CONCAT('THE ', title), rental_rate = rental_rate + 1 WHERE film_id % 7 = 0;
    DELETE FROM film_actor WHERE actor_id % 5 = 0;
    DELETE FROM film WHERE film_id % 97 = 0;
    UPDATE staff SET picture = UNHEX(SHA2(RAND(), 512)), active = NOT active;
    UPDATE customer SET email = LOWER(email), active = 0 WHERE customer_id % 11 = 0;
    UPDATE film SET special_features = NULL, rating = 'R' WHERE film_id % 13 = 0;
    DELETE FROM payment WHERE payment_id % 17 = 0`);
}

/** Rows made up for every table, by the types of its columns, where only the schema is there. */
async function fill(root: Connection, tables: readonly Table[]): Promise<void> {
  const random = seeded(4711);
  const pick = (limit: number) => Math.floor(random() * limit);
  for (const table of tables) {
    const rows = Array.from({ length: ROWS }, (_, index) =>
      table.columns.map(({ name, kind, labels, type }) => {
        if (table.primaryKey[0] === name)
          return String(type.startsWith('tinyint') ? (index % 255) + 1 : index + 1);
        switch (kind) {
          case 'integer':
            return String(1 + pick(type.startsWith('tinyint') ? 100 : ROWS));
          case 'decimal':
            return (pick(900) / 100).toFixed(2);
          case 'year':
            return String(1990 + pick(40));
          case 'enum':
            return `'${labels[pick(labels.length)]}'`;
          case 'set':
            return `'${labels.filter(() => random() < 0.5).join(',')}'`;
          case 'date':
          case 'datetime':
          case 'timestamp':
            return `'20${10 + pick(14)}-0${1 + pick(9)}-1${pick(9)} 0${pick(9)}:1${pick(9)}:00'`;
          case 'bytes':
            return `X'${pick(2 ** 31)
              .toString(16)
              .padStart(8, '0')}'`;
          default:
            return `'${table.name.slice(0, 8)} ${index} é'`;
        }
      }),
    );
    await root.query(
      `INSERT IGNORE INTO ${table.name} (${table.columns.map(({ name }) => name).join(', ')}) VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`,
    );
  }
}
