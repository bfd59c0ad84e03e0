import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Shop } from './shop.js';

const SOURCE = `
  CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(60), note VARCHAR(60), country_code VARCHAR(10));
  CREATE TABLE customer_address (customer_id INT PRIMARY KEY, street VARCHAR(60), city VARCHAR(60));
  CREATE TABLE customer_contact (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NULL UNIQUE, email VARCHAR(60) NULL UNIQUE);
  CREATE TABLE country (id INT PRIMARY KEY, code VARCHAR(10) NULL UNIQUE, area VARCHAR(20));
  CREATE TABLE customer_tag (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NULL, place INT, tag VARCHAR(20));`;
const TARGET = `
  CREATE TABLE client (id INT PRIMARY KEY, name VARCHAR(60), street VARCHAR(60), city VARCHAR(60) NOT NULL DEFAULT 'unset', email VARCHAR(60) NULL UNIQUE, country_id INT, area VARCHAR(20), tags VARCHAR(2000), own VARCHAR(20) NOT NULL DEFAULT 'kept');
  CREATE TABLE client_note (client_id INT PRIMARY KEY, note VARCHAR(60));`;

/** One target table that is put together from five of the source, and a second one of the same source table. */
export const clientData = (chunkRows: number, missing: 'empty' | 'refuse' = 'empty'): MigrationData => ({
  from: 'legacy',
  to: 'service',
  chunkRows,
  tables: [
    tableMappingSchema.parse({
      from: 'customer',
      to: 'client',
      key: { id: 'id' },
      columns: { name: 'name' },
      parts: [
        {
          from: 'customer_address',
          key: { id: 'customer_id' },
          columns: { street: 'street', city: 'city' },
          absent: { city: 'nowhere' },
        },
        { from: 'customer_contact', key: { id: 'customer_id' }, columns: { email: 'email' } },
      ],
      lookups: {
        country_id: { column: 'country_code', in: 'country', key: 'code', value: 'id', missing },
        area: { column: 'country_code', in: 'country', key: 'code', value: 'area' },
      },
      lists: {
        tags: {
          from: 'customer_tag',
          key: { id: 'customer_id' },
          item: 'tag',
          order: 'place',
          separator: '|',
          absent: '',
        },
      },
    }),
    tableMappingSchema.parse({
      from: 'customer',
      to: 'client_note',
      key: { client_id: 'id' },
      columns: { note: 'note' },
    }),
  ],
});

export async function createClients(shop: Shop): Promise<void> {
  await shop.from.root.query(SOURCE);
  await shop.to.root.query(TARGET);
}

export async function fillClients(shop: Shop, rows: number): Promise<void> {
  const ids = Array.from({ length: rows }, (_, index) => index + 1);
  const values = (tuple: (id: number) => string) => ids.map(tuple).join(', ');
  await shop.from.root.query(
    `INSERT INTO country VALUES (1, 'DE', 'north'), (2, 'fr', 'west'), (3, 'IT', NULL), (4, NULL, 'sea');
     INSERT INTO customer VALUES ${values((id) => `(${id}, 'name ${id}', 'note ${id}', ${['"DE"', '"FR"', '"XX"', 'NULL'][id % 4]})`)};
     INSERT INTO customer_address VALUES ${values((id) => `(${id * 2}, 'street ${id}', 'city ${id}')`)};
     INSERT INTO customer_contact (customer_id, email) VALUES ${values((id) => `(${id * 3}, 'mail-${id}')`)};
     INSERT INTO customer_tag (customer_id, place, tag) VALUES ${values((id) => `(${id}, 2, 'b${id}'), (${id}, 1, 'a'), (${id * 2}, 0, 'z')`)};`,
  );
}

/** Rows that the target lacks or has too many, by a join of the source that the tested code does not know. */
export async function clientDifferences(shop: Shop): Promise<readonly string[]> {
  const texts = async (connection: Connection, sql: string) => {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows.map((row) => JSON.stringify(Object.values(row)));
  };
  const expected = [
    ...(await texts(
      shop.from.root,
      `SELECT 'client', c.id, c.name, a.street, IF(a.customer_id IS NULL, 'nowhere', a.city) city, e.email, o.id country_id, o.area,
              COALESCE((SELECT GROUP_CONCAT(t.tag ORDER BY t.place, t.id SEPARATOR '|') FROM customer_tag t WHERE t.customer_id = c.id), '') tags
         FROM customer c LEFT JOIN customer_address a ON a.customer_id = c.id LEFT JOIN customer_contact e ON e.customer_id = c.id LEFT JOIN country o ON o.code = c.country_code`,
    )),
    ...(await texts(shop.from.root, "SELECT 'note', id, note FROM customer")),
  ];
  const actual = new Set([
    ...(await texts(
      shop.to.root,
      "SELECT 'client', id, name, street, city, email, country_id, area, tags FROM client",
    )),
    ...(await texts(shop.to.root, "SELECT 'note', client_id, note FROM client_note")),
  ]);
  const missing = expected.filter((row) => !actual.delete(row));
  return [...missing.map((row) => `missing: ${row}`), ...[...actual].map((row) => `extra: ${row}`)];
}

/** Writes all the tables at random and in any order, rows without their anchor too, until told to end. */
export async function writeClients(
  connection: Connection,
  random: () => number,
  isEnded: () => boolean,
): Promise<number> {
  const pick = (limit: number) => Math.floor(random() * limit);
  let count = 0;
  for (; !isEnded(); count++) {
    const [id, other, value] = [1 + pick(60), 1 + pick(60), `${count}-${pick(1e6)}`];
    const code = ["'DE'", "'fr'", "'FR'", "'XX'", "'it'", 'NULL'][pick(6)] ?? 'NULL';
    const steps = [
      `INSERT IGNORE INTO customer VALUES (${id}, 'new ${value}', 'n ${value}', ${code})`,
      `DELETE FROM customer WHERE id = ${id}`,
      `UPDATE customer SET name = 'n ${value}', country_code = ${code} WHERE id BETWEEN ${id} AND ${id + 3}`,
      `UPDATE IGNORE customer SET id = ${other} WHERE id = ${id}`,
      `REPLACE INTO customer_address VALUES (${id}, 'street ${value}', 'city ${value}')`,
      `DELETE FROM customer_address WHERE customer_id = ${id}`,
      `UPDATE IGNORE customer_address SET customer_id = ${other} WHERE customer_id = ${id}`,
      `UPDATE customer_address SET street = NULL WHERE customer_id = ${id}`,
      `INSERT IGNORE INTO customer_contact (customer_id, email) VALUES (${id}, 'mail-${value}')`,
      `DELETE FROM customer_contact WHERE customer_id = ${id}`,
      `UPDATE IGNORE customer_contact SET customer_id = ${other} WHERE customer_id = ${id}`,
      `UPDATE customer_contact SET customer_id = NULL WHERE customer_id = ${id}`,
      `SELECT email INTO @a FROM customer_contact WHERE customer_id = ${id}; SELECT email INTO @b FROM customer_contact WHERE customer_id = ${other}; UPDATE customer_contact SET email = NULL WHERE customer_id = ${id}; UPDATE customer_contact SET email = @a WHERE customer_id = ${other} AND ${id} <> ${other}; UPDATE IGNORE customer_contact SET email = @b WHERE customer_id = ${id}`,
      `UPDATE country SET area = 'a ${value}' WHERE id = ${1 + pick(4)}`,
      `UPDATE IGNORE country SET code = ${code} WHERE id = ${1 + pick(4)}`,
      `DELETE FROM country WHERE id = ${1 + pick(4)}`,
      `INSERT IGNORE INTO country VALUES (${1 + pick(4)}, ${code}, 'back ${value}')`,
      `INSERT INTO customer_tag (customer_id, place, tag) VALUES (${id}, ${pick(5)}, 't${pick(9)}')`,
      `DELETE FROM customer_tag WHERE customer_id = ${id}`,
      `UPDATE customer_tag SET customer_id = ${other} WHERE customer_id = ${id}`,
      `UPDATE customer_tag SET place = place + 1, tag = 'u${pick(9)}' WHERE customer_id = ${id}`,
    ];
    const chosen = Array.from({ length: 1 + pick(4) }, () => steps[pick(steps.length)]).join(';');
    const end = random() < 0.1 ? 'ROLLBACK' : 'COMMIT';
    const begun = performance.now();
    await connection
      .query(`START TRANSACTION; ${chosen}; ${end}`)
      .catch(async (error: { errno?: number }) => {
        // Two writers may meet in a deadlock, or an update meet a value that is there.
        if (![1213, 1205, 1062, 1172, 1020].includes(error.errno ?? 0)) throw error;
        await connection.query('ROLLBACK');
      });
    // As many moments for sync as for its writers.
    await new Promise((done) => setTimeout(done, (performance.now() - begun) * 2));
  }
  return count;
}
