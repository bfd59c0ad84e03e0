import { performance } from 'node:perf_hooks';
import type { Connection } from 'mysql2/promise';
import { type FenceDatabase, quoted, withConnection } from './fence-database.js';
import { createFenceTable, createTrigger, fenceOf } from './trigger-text.js';

/** Medians of a transaction with one row, in milliseconds. */
export type FenceCost = { readonly without: number; readonly with: number };

const ROUNDS = 150;
const PLAIN = 'fence_cost_without';
const FENCED = 'fence_cost_with';

/** Times small transactions in turns on two scratch tables of the control schema, of which one has a fence; null where the account may not make them. */
export const measureCost = (database: FenceDatabase): Promise<FenceCost | null> =>
  withConnection(database, async (connection) => {
    try {
      return await measure(connection, database);
    } catch {
      return null;
    } finally {
      await clear(connection, database).catch(() => {});
    }
  });

async function measure(connection: Connection, database: FenceDatabase): Promise<FenceCost> {
  const { control } = database;
  await clear(connection, database);
  await connection.query(createFenceTable(database));
  for (const table of [PLAIN, FENCED])
    await connection.query(
      `CREATE TABLE ${quoted(control, table)} (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(40)) ENGINE=InnoDB`,
    );
  await connection.query(
    `INSERT INTO ${fenceOf(database)} (tbl, closed, epoch, coordinator) VALUES ('${FENCED}', 0, 0, 0)`,
  );
  await connection.query(createTrigger({ ...database, schema: control }, FENCED, 'INSERT', undefined));
  const times: Record<string, number[]> = { [PLAIN]: [], [FENCED]: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const table of round % 2 === 0 ? [PLAIN, FENCED] : [FENCED, PLAIN]) {
      const begun = performance.now();
      await connection.query(`INSERT INTO ${quoted(control, table)} (text) VALUES ('a row')`);
      times[table]?.push(performance.now() - begun);
    }
  const median = (table: string) =>
    Number((times[table]?.toSorted((one, other) => one - other)[ROUNDS / 2] ?? 0).toFixed(3));
  return { without: median(PLAIN), with: median(FENCED) };
}

async function clear(connection: Connection, database: FenceDatabase): Promise<void> {
  for (const table of [PLAIN, FENCED])
    await connection.query(`DROP TABLE IF EXISTS ${quoted(database.control, table)}`);
  await connection.query(`DELETE FROM ${fenceOf(database)} WHERE tbl = '${FENCED}'`).catch(() => {});
}
