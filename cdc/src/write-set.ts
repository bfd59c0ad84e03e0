import type { Row } from '@strangler/contracts';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { Bulk, Rekey } from './compact.js';
import { keyText, type MappedRow } from './map.js';
import { inTurn, packets } from './packets.js';
import { isOneOf, quoted, readRows, tableName, tuplesOf } from './sql.js';
import type { Stages } from './stages.js';
import type { TablePair } from './table-pair.js';
import { deleteRows, insertRows, replaceChildren, updateStatement, writeRow } from './write-rows.js';

const KEYS_A_STATEMENT = 2_000;
const ER_DUP_ENTRY = 1062;

/** The connection with the open transaction, its temporary tables, and the longest statement it takes. */
export type SetWriter = {
  readonly connection: Connection;
  readonly stages: Stages;
  readonly maxStatementBytes: number;
  /** Tables of which rows that nobody knows were found in the target the last time. */
  readonly filled: Set<TablePair>;
};

const whole = ({ key, columns }: MappedRow): Row => ({ ...key, ...columns });
function* slices<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let first = 0; first < items.length; first += KEYS_A_STATEMENT)
    yield items.slice(first, first + KEYS_A_STATEMENT);
}

/** Whether a row surely fits into a packet of its own, twice over: an escaped letter takes two, and one of UTF-8 three. */
function fits({ columns }: MappedRow, maxBytes: number): boolean {
  let letters = 0;
  for (const name in columns) letters += columns[name]?.length ?? 0;
  return letters * 8 + 100_000 < maxBytes;
}

/** Does many writes by few statements; an error says only that they have to be done otherwise. */
export async function writeSet(writer: SetWriter, step: Bulk | Rekey): Promise<void> {
  const { connection } = writer;
  if (step.kind === 'rekey') return writeRow(connection, step);
  const { pair } = step;
  for (const rows of [step.updates, step.inserts, step.upserts])
    for (const row of rows)
      if (!fits(row, writer.maxStatementBytes))
        throw new Error(`a row of "${pair.target.name}" may be too long for a set`);
  for (const keys of slices(step.deletes)) await deleteRows(connection, pair, keys);
  const stage = step.updates.length > 0 ? await writer.stages.of(pair) : undefined;
  const unknown = stage === undefined ? [...step.updates, ...step.upserts] : step.upserts;
  const inserts = [...step.inserts];
  // A first copy meets an empty table: whether its rows are there is asked when one of them is.
  const mayBeNew = stage !== undefined || step.updates.length === 0;
  if (stage !== undefined) await updateByJoin(connection, pair, stage, step.updates);
  for (const rows of slices(unknown)) {
    if (mayBeNew && !writer.filled.has(pair) && (await areInserted(connection, pair, rows))) continue;
    const keys = rows.map((row) => row.key);
    const names = pair.map.keyNames;
    const found = await readRows(connection, pair.target, names, `WHERE ${isOneOf(keys, pair.target)}`);
    const there = new Set(found.map(keyText));
    if (there.size > 0) writer.filled.add(pair);
    else writer.filled.delete(pair);
    const old = rows.filter((row) => there.has(keyText(row.key)));
    const print = ({ key, columns }: MappedRow) => updateStatement(pair.target, key, columns);
    for (const { text } of packets(old, print, ';')) await connection.query(text);
    inserts.push(...rows.filter((row) => !there.has(keyText(row.key))));
  }
  await insertRows(connection, pair.target, inserts.map(whole));
  if (pair.children.length > 0)
    await replaceChildren(
      connection,
      pair,
      [...step.updates, ...step.inserts, ...step.upserts].map((row) => row.children),
    );
}

/** False: one of them is there, or another row with a unique value of theirs; some of them may be inserted then, each statement is whole or nothing. */
async function areInserted(
  connection: Connection,
  pair: TablePair,
  rows: readonly MappedRow[],
): Promise<boolean> {
  try {
    await insertRows(connection, pair.target, rows.map(whole));
    return true;
  } catch (error) {
    if ((error as { errno?: number }).errno === ER_DUP_ENTRY) return false;
    throw error;
  }
}

/** Rows that the target lacks, contrary to what was believed, are inserted. */
async function updateByJoin(
  connection: Connection,
  pair: TablePair,
  stage: string,
  rows: readonly MappedRow[],
): Promise<void> {
  const target = tableName(pair.target);
  const names = pair.map.writes.map((name) => quoted(name));
  const keys = pair.map.keyNames.map((name) => quoted(name));
  const set = names.filter((name) => !keys.includes(name));
  const on = keys.map((name) => `t.${name} = s.${name}`).join(' AND ');
  // Without columns there is nothing to set, and still to be seen whether the rows are there.
  const change = (set.length === 0 ? keys : set).map((name) => `t.${name} = s.${name}`).join(', ');
  const print = tuplesOf(pair.target, pair.map.writes);
  await inTurn(
    packets(rows, (row) => print(whole(row)), ', '),
    async ({ text, count }) => {
      const [results] = await connection.query<ResultSetHeader[]>(
        `DELETE FROM ${stage}; INSERT INTO ${stage} (${names.join(', ')}) VALUES ${text}; UPDATE ${stage} s STRAIGHT_JOIN ${target} t ON ${on} SET ${change}`,
      );
      if (results[2]?.affectedRows !== count)
        await connection.query(
          `INSERT INTO ${target} (${names.join(', ')}) SELECT ${names.map((name) => `s.${name}`).join(', ')} FROM ${stage} s LEFT JOIN ${target} t ON ${on} WHERE t.${keys[0]} IS NULL`,
        );
    },
  );
}
