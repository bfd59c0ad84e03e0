import type { ChangeEvent, Row } from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { CapturedTable } from './change-source.js';
import { packedText, unpackedRow } from './parking-lot.js';
import { matches, quoted, readRows } from './sql.js';
import type { TablePair } from './table-pair.js';

const TABLE = 'answers';
export const answersTable = (schema: string): CapturedTable => ({
  database: schema,
  table: TABLE,
  columns: ['stream', 'database_name', 'table_name', 'row_image'],
});
export const isAnswer = ({ database, table }: ChangeEvent, schema: string): boolean =>
  table === TABLE && database === schema;

/**
 * Says in the target's log what the row is there, at this place of the log and under its lock: the stream that carries the log back takes it to the side that has
 * written what it does not own. The row of the control table is gone at once; its place in the log is what counts.
 */
export async function writeAnswer(
  connection: Connection,
  schema: string,
  stream: string,
  pair: TablePair,
  key: Row,
): Promise<void> {
  const { target } = pair;
  const names = target.columns.map(({ name }) => name);
  const [row] = await readRows(connection, target, names, `WHERE ${matches(key, target)} FOR UPDATE`);
  if (!row) return;
  const values = [stream, target.database, target.name, packedText(row)].map((value) => escape(value));
  await connection.query(
    `INSERT INTO ${quoted(schema, TABLE)} (stream, database_name, table_name, row_image) VALUES (${values.join(', ')}); DELETE FROM ${quoted(schema, TABLE)} WHERE id = LAST_INSERT_ID()`,
  );
}

/** The row that an answer in the source's log tells of. */
export function answerOf(
  change: ChangeEvent,
  schema: string,
): { readonly database: string; readonly table: string; readonly row: Row } | undefined {
  if (!isAnswer(change, schema) || !change.after) return undefined;
  const { database_name: database, table_name: table, row_image: image } = change.after;
  return { database: String(database), table: String(table), row: unpackedRow(String(image)) };
}
