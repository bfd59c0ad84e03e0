import { randomBytes } from 'node:crypto';
import { controlSchemaOf, type Database, databaseOf } from '@strangler/cdc';
import { type Connection, createConnection } from 'mysql2/promise';
import { TABLE_COLUMNS } from './write-load.js';

/** An empty `product` in the source's server and an empty `item` in the target's, which may be one server. */
export type BenchDatabases = {
  readonly from: Database;
  readonly to: Database;
  readonly source: Connection;
  readonly target: Connection;
  drop(): Promise<void>;
};

export type Servers = { readonly source: string; readonly target: string };

export async function createDatabases(servers: Servers): Promise<BenchDatabases> {
  const id = `bench_${randomBytes(4).toString('hex')}`;
  const open = async (name: string, server: string, table: string) => {
    const url = new URL(server);
    url.pathname = `/${id}_${name}`;
    const database = databaseOf(name, url.href);
    const connection = await createConnection({ uri: server, multipleStatements: true });
    await connection.query(
      `CREATE DATABASE ${database.schema} CHARACTER SET utf8mb4; USE ${database.schema}; CREATE TABLE ${table} (${TABLE_COLUMNS})`,
    );
    return { database, connection };
  };
  const source = await open('legacy', servers.source, 'product');
  const target = await open('service', servers.target, 'item');
  return {
    from: source.database,
    to: target.database,
    source: source.connection,
    target: target.connection,
    async drop() {
      for (const { database, connection } of [source, target]) {
        for (const schema of [database.schema, controlSchemaOf(database)])
          await connection.query(`DROP DATABASE IF EXISTS ${schema}`);
        await connection.end();
      }
    },
  };
}

const ROWS_AT_FIRST = 1_000;

/** Fills `product` with the ids from 1 on: by doubling, which every engine can do. */
export async function fillProduct(connection: Connection, rows: number): Promise<void> {
  const values = (id: string, text: string) =>
    `${id}, CONCAT('sku-', ${text}), CONCAT('The name of ', ${text}, ', version 0'), (${id} % 100000) / 100, ${id} % 500, IF(${id} % 2 = 0, 'available', 'sold out'),
     '2026-01-02 03:04:05.678901', CONCAT('Some words on ', ${text}, ' that are as long as such words are, written for version 0'), ${id} * 7, 1`;
  const first = Array.from(
    { length: Math.min(rows, ROWS_AT_FIRST) },
    (_, index) => `(${values(String(index + 1), String(index + 1))})`,
  );
  await connection.query(`INSERT INTO product VALUES ${first.join(', ')}`);
  for (let filled = first.length; filled < rows;) {
    const some = Math.min(filled, rows - filled, 100_000);
    const id = `(id + ${filled})`;
    await connection.query(`INSERT INTO product SELECT ${values(id, id)} FROM product WHERE id <= ${some}`);
    filled += some;
  }
}
