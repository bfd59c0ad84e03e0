import type { Row } from '@strangler/contracts';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { RowWrite } from './compact.js';
import { isRetryable } from './database-errors.js';
import { rowRefused } from './errors.js';
import { type Children, keyShown, keyText } from './map.js';
import { ownRows } from './own-rows.js';
import { inTurn, packets } from './packets.js';
import { isOneOf, literal, matches, quoted, readRows, tableName, tuplesOf } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

const ER_NET_PACKET_TOO_LARGE = 1153;
const ROWS_A_STATEMENT = 500;
const chunksOf = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / ROWS_A_STATEMENT) }, (_, index) =>
    items.slice(index * ROWS_A_STATEMENT, (index + 1) * ROWS_A_STATEMENT),
  );

/** Does one write inside the transaction that is open on the connection. Throws ROW_REFUSED with table and key. */
export async function writeRow(
  connection: Connection,
  write: RowWrite,
  maxStatementBytes = Infinity,
): Promise<void> {
  const { pair } = write;
  try {
    if (write.kind === 'delete') return await deleteRows(connection, pair, [write.key]);
    const { key, columns, children } = write.row;
    const update = (from: Row, values: Row) =>
      updateRow(connection, pair.target, from, values, maxStatementBytes);
    // UPDATE, and INSERT when no row matched: a REPLACE would delete columns of the target's own, and any row that shares a unique value.
    const matched =
      write.kind === 'upsert' ? await update(key, columns) : await update(write.from, { ...key, ...columns });
    if (write.kind === 'rekey') await deleteChildren(connection, pair, [write.from]);
    if (matched === 0 && (write.kind === 'upsert' || (await update(key, columns)) === 0))
      await insertRows(connection, pair.target, [{ ...key, ...columns }]);
    await replaceChildren(connection, pair, [children]);
  } catch (error) {
    const key = write.kind === 'delete' ? write.key : write.row.key;
    throw isRetryable(error) ? error : rowRefused(pair.target.name, keyShown(key), error);
  }
}

export const updateStatement = (target: Table, key: Row, values: Row): string => {
  const set = Object.entries(Object.keys(values).length === 0 ? key : values).map(
    ([name, value]) => `${quoted(name)} = ${literal(value, target, name)}`,
  );
  return `UPDATE ${tableName(target)} SET ${set.join(', ')} WHERE ${matches(key, target)}`;
};

/** The number of rows that matched, changed or not. */
async function updateRow(
  connection: Connection,
  target: Table,
  key: Row,
  values: Row,
  maxBytes: number,
): Promise<number> {
  const statement = updateStatement(target, key, values);
  // The server would close the connection on it, and nobody would know the row.
  if (Buffer.byteLength(statement) > maxBytes)
    throw Object.assign(new Error(`it takes more than max_allowed_packet, ${maxBytes} bytes`), {
      errno: ER_NET_PACKET_TOO_LARGE,
    });
  const [result] = await connection.query<ResultSetHeader>(statement);
  return result.affectedRows;
}

export async function insertRows(connection: Connection, target: Table, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0] as Row);
  const head = `INSERT INTO ${tableName(target)} (${names.map((name) => quoted(name)).join(', ')}) VALUES `;
  await inTurn(packets(rows, tuplesOf(target, names), ', '), async ({ text }) => {
    await connection.query(head + text);
  });
}

/** Every row of the target that is this mapping's, and of its children. */
export async function deleteAll(connection: Connection, pair: TablePair): Promise<void> {
  for (const table of pair.children) await connection.query(`DELETE FROM ${tableName(table)}`);
  await connection.query(`DELETE FROM ${tableName(pair.target)} WHERE ${ownRows(pair)}`);
}

export async function deleteRows(
  connection: Connection,
  pair: TablePair,
  keys: readonly Row[],
): Promise<void> {
  await deleteChildren(connection, pair, keys);
  await connection.query(`DELETE FROM ${tableName(pair.target)} WHERE ${isOneOf(keys, pair.target)}`);
}

async function deleteChildren(connection: Connection, pair: TablePair, keys: readonly Row[]): Promise<void> {
  for (const [index, child] of pair.children.entries()) {
    const parents = keys.map((key) => pair.parentOf(index, key));
    await connection.query(`DELETE FROM ${tableName(child)} WHERE ${isOneOf(parents, child)}`);
  }
}

/** The children of these parents become exactly those the rows ask for; what is there already stays untouched. */
export async function replaceChildren(
  connection: Connection,
  pair: TablePair,
  perRow: readonly (readonly Children[])[],
): Promise<void> {
  if (perRow.length > ROWS_A_STATEMENT) {
    for (const some of chunksOf(perRow)) await replaceChildren(connection, pair, some);
    return;
  }
  for (const [index, child] of pair.children.entries()) {
    const wanted = perRow.flatMap((children) => children[index] ?? []);
    if (wanted.length === 0) continue;
    const names = pair.childColumns(index);
    const found = await readRows(
      connection,
      child,
      names,
      `WHERE ${isOneOf(
        wanted.map(({ parent }) => parent),
        child,
      )}`,
    );
    const ordered = (row: Row): Row => Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
    const rows = new Map(
      wanted.flatMap((children) => children.rows).map((row) => [keyText(ordered(row)), row]),
    );
    const gone = found.filter((row) => !rows.delete(keyText(row)));
    for (const some of chunksOf(gone))
      await connection.query(`DELETE FROM ${tableName(child)} WHERE ${isOneOf(some, child)}`);
    for (const some of chunksOf([...rows.values()])) await insertRows(connection, child, some);
  }
}
