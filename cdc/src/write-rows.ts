import type { Row } from '@strangler/contracts';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { Bulk, Rekey, Write } from './compact.js';
import { isRetryable } from './database-errors.js';
import { rowRefused } from './errors.js';
import { type Children, keyShown, keyText } from './map.js';
import { isOneOf, literal, matches, quoted, readRows, tableName } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

const ROWS_A_STATEMENT = 500;
/** Far below the smallest usual max_allowed_packet; a single row may be larger. */
const BYTES_A_PACKET = 1_000_000;
const chunksOf = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / ROWS_A_STATEMENT) }, (_, index) =>
    items.slice(index * ROWS_A_STATEMENT, (index + 1) * ROWS_A_STATEMENT),
  );

/** Parts joined to packets of bounded length. */
function* packets(parts: readonly string[], separator: string): Generator<string> {
  let packet = '';
  for (const part of parts) {
    if (packet !== '' && packet.length + part.length > BYTES_A_PACKET) {
      yield packet;
      packet = '';
    }
    packet = packet === '' ? part : `${packet}${separator}${part}`;
  }
  if (packet !== '') yield packet;
}

/** Does one write inside the transaction that is open on the connection. Throws ROW_REFUSED with table and key. */
export async function writeRow(connection: Connection, write: Write): Promise<void> {
  const { pair } = write;
  if (write.kind === 'delete') return deleteRows(connection, pair, [write.key]);
  const { key, columns, children } = write.row;
  try {
    // UPDATE, and INSERT when no row matched: a REPLACE would delete columns of the target's own, and any row that shares a unique value.
    const matched =
      write.kind === 'upsert'
        ? await updateRow(connection, pair.target, key, columns)
        : await updateRow(connection, pair.target, write.from, { ...key, ...columns });
    if (write.kind === 'rekey') await deleteChildren(connection, pair, [write.from]);
    if (
      matched === 0 &&
      (write.kind === 'upsert' || (await updateRow(connection, pair.target, key, columns)) === 0)
    )
      await insertRows(connection, pair.target, [{ ...key, ...columns }]);
    await replaceChildren(connection, pair, [children]);
  } catch (error) {
    throw isRetryable(error) ? error : rowRefused(pair.target.name, keyShown(key), error);
  }
}

/** Does many at once; an error says only that they have to be done one by one. */
export async function writeBulk(connection: Connection, step: Bulk | Rekey): Promise<void> {
  if (step.kind === 'rekey') return writeRow(connection, step);
  const { pair } = step;
  for (const keys of chunksOf(step.deletes)) await deleteRows(connection, pair, keys);
  for (const rows of chunksOf(step.upserts)) {
    const found = await readRows(
      connection,
      pair.target,
      Object.keys(pair.map.mapping.key),
      `WHERE ${isOneOf(
        rows.map((row) => row.key),
        pair.target,
      )}`,
    );
    const there = new Set(found.map(keyText));
    const [old, fresh] = [
      rows.filter((row) => there.has(keyText(row.key))),
      rows.filter((row) => !there.has(keyText(row.key))),
    ];
    const updates = old.map(({ key, columns }) => updateStatement(pair.target, key, columns));
    for (const packet of packets(updates, ';')) await connection.query(packet);
    await insertRows(
      connection,
      pair.target,
      fresh.map((row) => ({ ...row.key, ...row.columns })),
    );
    await replaceChildren(
      connection,
      pair,
      rows.map((row) => row.children),
    );
  }
}

const updateStatement = (target: Table, key: Row, values: Row): string => {
  const set = Object.entries(Object.keys(values).length === 0 ? key : values).map(
    ([name, value]) => `${quoted(name)} = ${literal(value, target, name)}`,
  );
  return `UPDATE ${tableName(target)} SET ${set.join(', ')} WHERE ${matches(key, target)}`;
};

/** The number of rows that matched, changed or not. */
async function updateRow(connection: Connection, target: Table, key: Row, values: Row): Promise<number> {
  const [result] = await connection.query<ResultSetHeader>(updateStatement(target, key, values));
  return result.affectedRows;
}

async function insertRows(connection: Connection, target: Table, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0] as Row);
  const tuples = rows.map(
    (row) => `(${names.map((name) => literal(row[name] ?? null, target, name)).join(', ')})`,
  );
  const head = `INSERT INTO ${tableName(target)} (${names.map((name) => quoted(name)).join(', ')}) VALUES `;
  for (const packet of packets(tuples, ', ')) await connection.query(head + packet);
}

async function deleteRows(connection: Connection, pair: TablePair, keys: readonly Row[]): Promise<void> {
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
async function replaceChildren(
  connection: Connection,
  pair: TablePair,
  perRow: readonly (readonly Children[])[],
): Promise<void> {
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
