import type { MigrationData, Row } from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { APPLY_SESSION } from './apply.js';
import { ensureTables, TARGET_TABLES } from './control-tables.js';
import { compileMapping } from './map.js';
import { dropRefused, takenOver } from './errors.js';
import { isReversed } from './reverse.js';
import { forgetStream } from './forget-stream.js';
import { quoted } from './sql.js';

const ROWS_AT_A_TIME = 2_000;

/** Target tables that a migration's mapping writes, children first; of a table that others write too, the rows that have `own`. */
export type CopiedTables = readonly { readonly table: string; readonly own: Row }[];

/** What a migration has copied. Throws DROP_REFUSED for a stream back: what it writes is no copy, but the monolith's own tables. */
export function copiedTables({ tables }: Pick<MigrationData, 'tables'>): CopiedTables {
  const back = tables.find(isReversed);
  if (back) throw dropRefused(back.to);
  return tables.flatMap((mapping) => [
    ...mapping.split.map((child) => ({ table: child.to, own: {} })),
    { table: mapping.to, own: compileMapping(mapping).own },
  ]);
}

/** Whether a stream has ever begun to write into a target, and has not been dropped since. */
export async function hasCopy(
  connection: Connection,
  target: Database,
  stream: string,
  condition = '',
): Promise<boolean> {
  const schema = controlSchemaOf(target);
  const [tables] = await connection.query<RowDataPacket[]>(
    "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'apply_offset'",
    [schema],
  );
  if (tables.length === 0) return false;
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT 1 FROM ${quoted(schema, 'apply_offset')} WHERE stream = ? ${condition}`,
    [stream],
  );
  return rows.length > 0;
}

/**
 * Takes back what was copied: empties the mapped tables and forgets offset and progress. Can be ended at any moment and called again; from its
 * first step on no pipeline goes on from the old offset. Does nothing when nothing was copied. Throws DROP_REFUSED.
 */
export async function dropCopy(
  target: Database,
  stream: string,
  data: Pick<MigrationData, 'tables'>,
  signal: AbortSignal,
): Promise<void> {
  const tables = copiedTables(data);
  const connection = await connect(target, APPLY_SESSION);
  try {
    if (!(await hasCopy(connection, target, stream))) return;
    const schema = controlSchemaOf(target);
    await ensureTables(connection, schema, TARGET_TABLES);
    await connection.query(
      `UPDATE ${quoted(schema, 'apply_offset')} SET dropping = 1, incarnation = incarnation + 1 WHERE stream = ?`,
      [stream],
    );
    const [[owner]] = await connection.query<RowDataPacket[]>(
      `SELECT incarnation FROM ${quoted(schema, 'apply_offset')} WHERE stream = ?`,
      [stream],
    );
    // A drop that hung while another one ended it must not take away what has been copied since.
    const assertOwner = async (): Promise<void> => {
      const [marked] = await connection.query<ResultSetHeader>(
        `UPDATE ${quoted(schema, 'apply_offset')} SET tx_seq = tx_seq + 1 WHERE stream = ? AND dropping = 1 AND incarnation = ?`,
        [stream, owner?.['incarnation']],
      );
      if (marked.affectedRows !== 1) throw takenOver(stream);
    };
    for (const { table, own } of tables) {
      const rows = Object.entries(own).map(([name, value]) => `${quoted(name)} = ${escape(value)}`);
      const where = rows.length === 0 ? 'TRUE' : rows.join(' AND ');
      let deleted: number;
      do {
        signal.throwIfAborted();
        await connection.beginTransaction();
        // Marks the transaction as ours: a stream that carries the target's changes back must not take the source's rows away.
        await assertOwner();
        const [result] = await connection.query<ResultSetHeader>(
          `DELETE FROM ${quoted(target.schema, table)} WHERE ${where} LIMIT ${ROWS_AT_A_TIME}`,
        );
        await connection.commit();
        deleted = result.affectedRows;
      } while (deleted === ROWS_AT_A_TIME);
    }
    await assertOwner();
    await forgetStream(connection, schema, stream);
  } finally {
    connection.destroy();
  }
}

/** Ends a drop that was broken off; does nothing when there is none. */
export async function finishDrop(
  target: Database,
  stream: string,
  data: Pick<MigrationData, 'tables'>,
  signal: AbortSignal,
): Promise<void> {
  const connection = await connect(target);
  try {
    if (!(await hasCopy(connection, target, stream, 'AND dropping = 1'))) return;
  } finally {
    connection.destroy();
  }
  await dropCopy(target, stream, data, signal);
}

/** Forgets that a stream has ever begun, and leaves what it has written. Does nothing when it has not. */
export async function forgetBegun(target: Database, stream: string): Promise<void> {
  const connection = await connect(target);
  try {
    if (!(await hasCopy(connection, target, stream))) return;
    await ensureTables(connection, controlSchemaOf(target), TARGET_TABLES);
    await forgetStream(connection, controlSchemaOf(target), stream);
  } finally {
    connection.destroy();
  }
}
