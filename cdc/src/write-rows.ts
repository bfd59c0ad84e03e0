import type { Row } from '@strangler/contracts';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { isDuplicateKey, isRetryable } from './database-errors.js';
import { rowRefused } from './errors.js';
import { type Children, keyShown, keyText, type MappedRow } from './map.js';
import { isOneOf, literal, matches, quoted, readRows, tableName } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

/** What has to be done to one target table, in order with the others of its batch. */
export type Write =
  | { readonly kind: 'upsert'; readonly pair: TablePair; readonly rows: MappedRow[] }
  | { readonly kind: 'rekey'; readonly pair: TablePair; readonly from: Row; readonly row: MappedRow }
  | { readonly kind: 'delete'; readonly pair: TablePair; readonly keys: Row[] };

const ROWS_A_STATEMENT = 500;
const chunksOf = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / ROWS_A_STATEMENT) }, (_, index) =>
    items.slice(index * ROWS_A_STATEMENT, (index + 1) * ROWS_A_STATEMENT),
  );

/** Does one write inside the transaction that is open on the connection. Throws ROW_REFUSED with table, key and column. */
export async function writeRows(connection: Connection, write: Write): Promise<void> {
  const { pair } = write;
  if (write.kind === 'delete') {
    for (const keys of chunksOf(write.keys)) await deleteRows(connection, pair, keys);
  } else if (write.kind === 'rekey') {
    const { key, columns, children } = write.row;
    const moved = await updateRow(connection, pair.target, write.from, { ...key, ...columns }).catch(
      (error: unknown) => {
        throw refused(error, pair.target, key);
      },
    );
    await deleteChildren(connection, pair, [write.from]);
    if (moved === 0) await writeOne(connection, pair.target, write.row);
    await replaceChildren(connection, pair, [children]);
  } else {
    for (const rows of chunksOf(write.rows)) await upsertRows(connection, pair, rows);
  }
}

async function upsertRows(
  connection: Connection,
  pair: TablePair,
  rows: readonly MappedRow[],
): Promise<void> {
  const { target } = pair;
  // A row that is there more than once ends as its last image.
  const last = new Map(rows.map((row) => [keyText(row.key), row]));
  if (rows.length === 1) {
    await writeOne(connection, target, rows[0] as MappedRow);
  } else {
    await connection.query('SAVEPOINT upsert');
    try {
      await writeMany(connection, pair, [...last.values()]);
    } catch (error) {
      if (isRetryable(error)) throw error;
      // One by one, in the order of the source: a unique value may have moved between rows, and a refused row must be named.
      await connection.query('ROLLBACK TO SAVEPOINT upsert');
      for (const row of rows) await writeOne(connection, target, row);
    }
  }
  await replaceChildren(
    connection,
    pair,
    [...last.values()].map((row) => row.children),
  );
}

async function writeMany(connection: Connection, pair: TablePair, rows: readonly MappedRow[]): Promise<void> {
  const { target } = pair;
  const names = Object.keys((rows[0] as MappedRow).key);
  const found = await readRows(
    connection,
    target,
    names,
    `WHERE ${isOneOf(
      rows.map((row) => row.key),
      target,
    )}`,
  );
  const there = new Set(found.map(keyText));
  for (const row of rows) if (there.has(keyText(row.key))) await writeOne(connection, target, row);
  await insertRows(
    connection,
    target,
    rows.filter((row) => !there.has(keyText(row.key))).map((row) => ({ ...row.key, ...row.columns })),
  );
}

/** UPDATE, and INSERT when no row matched: a REPLACE would delete columns of the target's own, and any row that shares a unique value. */
async function writeOne(connection: Connection, target: Table, { key, columns }: MappedRow): Promise<void> {
  try {
    if ((await updateRow(connection, target, key, columns)) === 0)
      await insertRows(connection, target, [{ ...key, ...columns }]);
  } catch (error) {
    throw refused(error, target, key);
  }
}

const refused = (error: unknown, target: Table, key: Row): unknown =>
  isRetryable(error) ? error : rowRefused(target.name, keyShown(key), error);

/** The number of rows that matched, changed or not. */
async function updateRow(connection: Connection, target: Table, key: Row, values: Row): Promise<number> {
  const set = Object.entries(Object.keys(values).length === 0 ? key : values).map(
    ([name, value]) => `${quoted(name)} = ${literal(value, target, name)}`,
  );
  const [result] = await connection.query<ResultSetHeader>(
    `UPDATE ${tableName(target)} SET ${set.join(', ')} WHERE ${matches(key, target)}`,
  );
  return result.affectedRows;
}

async function insertRows(connection: Connection, target: Table, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0] as Row);
  const tuples = rows.map(
    (row) => `(${names.map((name) => literal(row[name] ?? null, target, name)).join(', ')})`,
  );
  await connection.query(
    `INSERT INTO ${tableName(target)} (${names.map((name) => quoted(name)).join(', ')}) VALUES ${tuples.join(', ')}`,
  );
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
    const wanted = perRow.map((children) => children[index] as Children);
    const first = wanted[0];
    if (!first) continue;
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
    for (const some of chunksOf([...rows.values()]))
      await insertRows(connection, child, some).catch(async (error: unknown) => {
        if (isRetryable(error)) throw error;
        for (const row of some)
          await insertRows(connection, child, [row]).catch((cause: unknown) => {
            throw isDuplicateKey(cause) || !isRetryable(cause)
              ? rowRefused(child.name, keyShown(row), cause)
              : cause;
          });
      });
  }
}
