import { type ChangeEvent, type Row, StranglerError } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type Assembly, noneTouched, touch, type Touched } from './assembly.js';
import type { Write } from './compact.js';
import { isFenced, isRetryable, isSystemic } from './database-errors.js';
import { LOOKUP_MISSING, lookupMissing, rowRefused } from './errors.js';
import { keyShown, keyText } from './map.js';
import { keyIdOf, keysOf, type ParkingLot } from './parking-lot.js';
import { isOneOf, quoted, readRows } from './sql.js';
import { columnOf } from './table.js';
import type { TablePair } from './table-pair.js';

const KEYS_A_STATEMENT = 2_000;

/** What the writes of a batch touch of rows that are put together, before and after they are done. */
export type Assembling = {
  readonly touched: ReadonlyMap<Assembly, Touched>;
  /** Keys of shadows whose rows have to be read to say which rows of the target they belong to. */
  readonly asked: ReadonlyMap<TablePair, ReadonlyMap<string, Row>>;
};

/** To be called before the writes: a row of a shadow may belong to another row after them. Undefined when nothing is put together. */
export async function beginAssembling(
  connection: Connection,
  writes: readonly Write[],
): Promise<Assembling | undefined> {
  const touched = new Map<Assembly, Touched>();
  const asked = new Map<TablePair, Map<string, Row>>();
  for (const write of writes) {
    const { pair } = write;
    const assembly = pair.assembly ?? pair.shadow?.assembly;
    if (!assembly) continue;
    const of = touched.get(assembly) ?? noneTouched();
    touched.set(assembly, of);
    if (write.kind === 'empty') of.isAll ||= pair.shadow !== undefined;
    for (const key of keysOf(write))
      if (!pair.shadow) of.keys.set(keyText(key), key);
      else if (pair.shadow.isKey) touch(of, pair.shadow, key);
      else asked.set(pair, (asked.get(pair) ?? new Map<string, Row>()).set(keyText(key), key));
  }
  if (touched.size === 0) return undefined;
  const assembling = { touched, asked };
  await readLinks(connection, assembling);
  return assembling;
}

async function readLinks(connection: Connection, { touched, asked }: Assembling): Promise<void> {
  for (const [pair, keys] of asked) {
    const { shadow } = pair;
    const of = shadow && touched.get(shadow.assembly);
    if (!of) continue;
    for (const some of slices([...keys.values()])) {
      const where = `WHERE ${isOneOf(some, pair.target)}`;
      for (const row of await readRows(connection, pair.target, shadow.names, where)) touch(of, shadow, row);
    }
  }
}

type Assembler = { readonly connection: Connection; readonly lot: ParkingLot };

/**
 * Puts together what the writes have touched, in the transaction that is open and from what the shadows hold at its end: nothing depends on the order in which rows have come. A row that the
 * target does not take so is parked by the key of its anchor.
 */
export async function assembleRows(assembler: Assembler, assembling: Assembling): Promise<void> {
  const { connection } = assembler;
  await readLinks(connection, assembling);
  for (const [assembly, { keys, values, isAll }] of assembling.touched) {
    const refused: Refused[] = [];
    if (isAll) refused.push(...(await assembleWhere(assembler, assembly, 'TRUE')));
    else {
      for (const some of slices([...keys.values()]))
        refused.push(...(await assembleSome(assembler, assembly, some)));
      for (const [column, asked] of values)
        for (const some of slices([...asked.values()])) {
          const where = assembly.asksFor(column, some);
          await releaseAnswered(assembler, assembly, where);
          refused.push(...(await assembleWhere(assembler, assembly, where)));
        }
    }
    if (refused.length > 0) await insist(assembler, assembly, refused);
  }
}

/**
 * Keys that wait for nothing but what they ask for are put together again when it comes; what is still not there parks them anew. A key of which anything else has come since, or behind
 * which others wait, is left to a retry: its row in the target is older than its source row.
 */
async function releaseAnswered(
  { connection, lot }: Assembler,
  assembly: Assembly,
  where: string,
): Promise<void> {
  const { anchor } = assembly;
  const all = [...lot.keys.values()];
  const waiting = all.filter(
    ({ id, table, code, events }) =>
      table === anchor.target.name &&
      code === LOOKUP_MISSING &&
      events === 1 &&
      !all.some(({ behind }) => behind === id),
  );
  for (const some of slices(waiting)) {
    const isOneOfThem = assembly.isOneOf(some.map(({ key }) => key));
    for (const key of await readKeys(connection, assembly, assembly.keys(`${where} AND ${isOneOfThem}`))) {
      const id = keyIdOf(anchor, key);
      if (some.some((parked) => parked.id === id)) lot.release(id);
    }
  }
}

type Refused = { readonly key: Row; readonly error: unknown };

/** By one statement, however many rows it are; by their keys where that is refused. */
async function assembleWhere(
  assembler: Assembler,
  assembly: Assembly,
  where: string,
): Promise<readonly Refused[]> {
  const { connection, lot } = assembler;
  const isPlain = lot.keys.size === 0 && assembly.unanswered.length === 0;
  if (isPlain && (await isTaken(connection, assembly.update(where))) === true) return [];
  const refused: Refused[] = [];
  for (const some of slices(await readKeys(connection, assembly, assembly.keys(where))))
    refused.push(...(await assembleSome(assembler, assembly, some)));
  return refused;
}

async function assembleSome(
  { connection, lot }: Assembler,
  assembly: Assembly,
  all: readonly Row[],
): Promise<readonly Refused[]> {
  const { anchor } = assembly;
  // The target keeps a parked row as it was.
  const keys = lot.keys.size === 0 ? all : all.filter((key) => !lot.keys.has(keyIdOf(anchor, key)));
  const refused = await refusedOf(connection, assembly, keys);
  if (keys.length > 0)
    for (const { column, inTable, lacking } of assembly.unanswered)
      for (const key of await readKeys(connection, assembly, lacking(assembly.isOneOf(keys))))
        park(lot, anchor, key, lookupMissing(anchor.source.name, keyShown(key), column, inTable));
  return refused;
}

/** A unique value goes from row to row: when all others are done, nobody else has it, unless two rows have to change theirs at once. */
async function insist(
  { connection, lot }: Assembler,
  assembly: Assembly,
  refused: readonly Refused[],
): Promise<void> {
  let left = refused;
  const tryAgain = async () => {
    const again: Refused[] = [];
    for (const { key } of left) again.push(...(await refusedOf(connection, assembly, [key])));
    return again;
  };
  left = await tryAgain();
  for (let before = refused.length; left.length > 1 && left.length < before;) {
    before = left.length;
    left = await tryAgain();
  }
  if (left.length > 1) {
    const clear = clearing(
      assembly,
      left.map(({ key }) => key),
    );
    if (clear !== undefined && (await isTaken(connection, clear)) === true) left = await tryAgain();
  }
  for (const { key, error } of left) park(lot, assembly.anchor, key, error);
}

/** Those that the target does not take, each with the reason; the others are done. */
async function refusedOf(
  connection: Connection,
  assembly: Assembly,
  keys: readonly Row[],
): Promise<readonly Refused[]> {
  if (keys.length === 0) return [];
  const error = await isTaken(connection, assembly.update(assembly.isOneOf(keys)));
  if (error === true) return [];
  if (keys.length === 1) {
    const [key] = keys as readonly [Row];
    if (isSystemic(error)) throw rowRefused(assembly.anchor.target.name, keyShown(key), error);
    return [{ key, error: rowRefused(assembly.anchor.target.name, keyShown(key), error) }];
  }
  const half = Math.ceil(keys.length / 2);
  return [
    ...(await refusedOf(connection, assembly, keys.slice(0, half))),
    ...(await refusedOf(connection, assembly, keys.slice(half))),
  ];
}

/** Makes columns NULL that may be; undefined where there is none. */
function clearing(assembly: Assembly, keys: readonly Row[]): string | undefined {
  const { target } = assembly.anchor;
  const set = assembly.columns
    .filter((name) => columnOf(target, name)?.nullable)
    .map((name) => `t.${quoted(name)} = NULL`);
  if (set.length === 0 || keys.length === 0) return undefined;
  return `UPDATE ${quoted(target.database, target.name)} t SET ${[...set, ...assembly.kept].join(', ')} WHERE ${assembly.isOneOf(keys)}`;
}

/** True, or why nothing of the statement was done. */
async function isTaken(connection: Connection, statement: string): Promise<unknown> {
  await connection.query('SAVEPOINT assembling');
  try {
    await connection.query(statement);
    return true;
  } catch (error) {
    if (isRetryable(error) || isFenced(error)) throw error;
    await connection.query('ROLLBACK TO SAVEPOINT assembling');
    return error;
  }
}

async function readKeys(connection: Connection, { anchor }: Assembly, sql: string): Promise<readonly Row[]> {
  const bytes = new Set(
    anchor.target.columns.filter(({ kind }) => kind === 'bytes' || kind === 'bit').map(({ name }) => name),
  );
  const [rows] = await connection.query<RowDataPacket[]>({
    sql,
    typeCast: (field) => (bytes.has(field.name) ? field.buffer() : field.string('utf8')),
  });
  return rows;
}

function park(lot: ParkingLot, pair: TablePair, key: Row, error: unknown): void {
  if (!(error instanceof StranglerError)) throw error;
  const { database, name: table } = pair.source;
  const after = Object.fromEntries(
    Object.entries(pair.map.mapping.key).map(([column, source]) => [source, key[column] ?? null]),
  );
  const change: ChangeEvent = { operation: 'update', database, table, before: null, after };
  lot.refuse({ kind: 'unmapped', pair, key, change, error }, error);
}

function* slices<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let first = 0; first < items.length; first += KEYS_A_STATEMENT)
    yield items.slice(first, first + KEYS_A_STATEMENT);
}
