import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { checkTables } from './check-tables.js';
import type { MigrationSync } from './migration-sync.js';
import { readRows } from './sql.js';
import { readTable, type Table } from './table.js';
import { type ScratchDatabase, scratchDatabase, seeded } from './testing/databases.js';
import { followed, migrationOf } from './testing/nasty.js';
import { statementsOf } from './testing/script.js';

const folder = join(import.meta.dirname, '..', '..', '.strangler', 'sakila');
const SCHEMA = join(folder, 'mysql-sakila-schema.sql');
const DATA = join(folder, 'mysql-sakila-insert-data.sql');
const ROWS = 400;

let from: ScratchDatabase & { drop(): Promise<void> };
let to: ScratchDatabase & { drop(): Promise<void> };
let sync: MigrationSync | undefined;
afterEach(async () => {
  await sync?.stop();
  await from?.drop();
  await to?.drop();
});

/** A database that nobody here has made: `node scripts/provide-sakila.mjs` gets it, and only then this file is run. */
describe('Sakila', () => {
  it('is copied and followed with all its tables, through its own triggers and foreign keys', async () => {
    from = await scratchDatabase('sakila');
    to = await scratchDatabase('copy');
    const { root } = from;
    // Its ON UPDATE CASCADE does nothing here: no statement changes a key.
    await root.query("SET foreign_key_checks = 0, unique_checks = 0, sql_mode = ''");
    await to.root.query('SET foreign_key_checks = 0');
    for (const sql of statementsOf(readFileSync(SCHEMA, 'utf8')))
      if (!/^\s*(?:CREATE SCHEMA|DROP SCHEMA|USE|SET)\b/i.test(sql))
        await root.query(sql.replaceAll(/\bsakila\./g, `${from.schema}.`));
    const [names] = await root.query<RowDataPacket[]>(
      "SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1",
      [from.schema],
    );
    const tables: Table[] = [];
    for (const { name } of names) {
      const table = (await readTable(root, from.schema, String(name))) as Table;
      tables.push(table);
      await to.root.query(`CREATE TABLE ${String(name)} LIKE ${from.schema}.${String(name)}`);
      // Text that is searched may be of an engine without transactions.
      await to.root.query(`ALTER TABLE ${String(name)} ENGINE = InnoDB`);
    }
    expect(tables.length).toBeGreaterThanOrEqual(15);
    if (existsSync(DATA))
      for (const sql of statementsOf(readFileSync(DATA, 'utf8')))
        if (!/^\s*USE\b/i.test(sql)) await root.query(sql);
    if (!existsSync(DATA)) await fill(root, tables);

    const mappings = tables.map((table) =>
      tableMappingSchema.parse({
        from: table.name,
        to: table.name,
        key: Object.fromEntries(table.primaryKey.map((name) => [name, name])),
        columns: Object.fromEntries(
          table.columns
            .filter(({ name, kind }) => !table.primaryKey.includes(name) && kind !== 'unsupported')
            .map(({ name }) => [name, name]),
        ),
      }),
    );
    for (const mapping of mappings)
      expect(
        checkTables(
          mapping,
          {
            source: await readTable(root, from.schema, mapping.from),
            target: await readTable(to.root, to.schema, mapping.to),
            children: [],
          },
          mapping.from,
        ),
      ).toEqual([]);
    const data: MigrationData = { from: 'sakila', to: 'copy', chunkRows: 200, tables: mappings };
    sync = migrationOf('sakila', from, to, data);
    void sync.wish('run');
    // While it is copied and after.
    await work(root);
    await followed(sync, from);
    await work(root);
    await root.query(
      "INSERT INTO film (title, description, language_id, special_features, rating, release_year) VALUES ('STRANGLER FIG', 'grows round', 1, 'Trailers,Deleted Scenes', 'NC-17', 2026)",
    );
    await followed(sync, from);

    const verification = await sync.verify();
    expect(verification).toMatchObject({ clean: true, driftRows: 0 });
    expect(verification.rowsVerified).toBeGreaterThan(ROWS * 10);
    for (const table of tables) {
      const columns = table.columns.filter(({ kind }) => kind !== 'unsupported').map(({ name }) => name);
      const rows = async (database: ScratchDatabase) =>
        readRows(
          database.root,
          { ...table, database: database.schema },
          columns,
          `ORDER BY ${table.primaryKey.join()}`,
        );
      expect({ table: table.name, rows: await rows(to) }).toEqual({
        table: table.name,
        rows: await rows(from),
      });
    }
    const [texts] = await to.root.query<RowDataPacket[]>(
      "SELECT 1 FROM film_text WHERE title = 'STRANGLER FIG'",
    );
    expect(texts).toHaveLength(1);
  }, 120_000);
});

/** What its application does: rents, gives back, pays, renames, deletes; triggers and defaults do their part. */
async function work(root: Connection): Promise<void> {
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
