import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { allApart, type Apart, apartByBytes } from './apart-rows.js';
import type { Column } from './column.js';
import { isBytes } from './column.js';
import { compareRow, expectedOf, type Found, targetKeyText } from './compare-rows.js';
import { ownRows } from './own-rows.js';
import { rawBuffers } from './raw-buffers.js';
import { type CutRows, cutRows, type RawRows, readRawRows, rowReader } from './raw-rows.js';
import { parentKey } from './read-pair.js';
import { isBehind, isUpTo, quoted } from './sql.js';
import { columnOf, type Table } from './table.js';
import type { TablePair } from './table-pair.js';
import { countCompared, type Tally } from './verification-tally.js';
import type { Range, VerifyPass } from './verify-passes.js';

/** The key columns of source, target and children, each in the order of the source's primary key. */
export type OrderedKeys = {
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly children: readonly (readonly string[])[];
};

/**
 * Undefined where both sides do not have their keys in one order, or not by an index. Were they in another order all the same (two servers that disagree on a collation),
 * rows would be looked at again in vain, but none would be left out: ranges one behind the other take in every key, in whatever order their ends are.
 */
export function walkInOrder({ map, source, target, children, assembly }: TablePair): OrderedKeys | undefined {
  // Rows of other tables are asked for by lists of keys, and rows of other mappings lie between.
  if (assembly || ownRows({ map, target }) !== 'TRUE') return undefined;
  const names = source.primaryKey;
  const named = (columns: Readonly<Record<string, string>>): readonly string[] => {
    const columnOfSource = new Map(Object.entries(columns).map(([to, from]) => [from, to]));
    return names.flatMap((name) => columnOfSource.get(name) ?? []);
  };
  const goes = (table: Table, columns: readonly string[]) =>
    columns.length === names.length &&
    columns.every(
      (name, index) =>
        table.primaryKey[index] === name &&
        isSameOrder(columnOf(source, names[index] as string), columnOf(table, name)),
    );
  const ofTarget = named(map.mapping.key);
  const ofChildren = map.mapping.split.map((split) => named(split.key));
  return names.length > 0 &&
    Object.keys(map.mapping.key).length === names.length &&
    goes(target, ofTarget) &&
    children.every((child, index) => goes(child, ofChildren[index] ?? []))
    ? { source: names, target: ofTarget, children: ofChildren }
    : undefined;
}

const isSameOrder = (one: Column | undefined, other: Column | undefined): boolean =>
  one !== undefined &&
  other !== undefined &&
  one.kind === other.kind &&
  (one.kind !== 'text' || one.collation === other.collation) &&
  (one.kind !== 'name' || one.type === other.type);

/** Keys of a mapping that say nothing of the values of the target's columns. */
const PLAIN_KEYS: ReadonlySet<string> = new Set([
  'from',
  'to',
  'key',
  'columns',
  'leaveOut',
  'lost',
  'writers',
  'conflicts',
]);
const isEmpty = (value: unknown) =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

/** Source columns for each column that the mapping writes, where every one of them is copied as it is: then equal bytes are equal values. */
function plainColumns({ map, source, target }: TablePair): readonly string[] | undefined {
  const { mapping } = map;
  if (!Object.entries(mapping).every(([key, value]) => PLAIN_KEYS.has(key) || isEmpty(value)))
    return undefined;
  const columns = [...Object.values(mapping.key), ...Object.values(mapping.columns)];
  const isCopied = columns.every((from, index) => {
    if (typeof from !== 'string') return false;
    const [one, other] = [columnOf(source, from), columnOf(target, map.writes[index] ?? '')];
    // The same byte is a text to one kind of column and a number to the other.
    return one !== undefined && other !== undefined && isBytes(one) === isBytes(other);
  });
  return isCopied ? (columns as string[]) : undefined;
}

const orderBy = (names: readonly string[]) => names.map((name) => quoted(name)).join(', ');

/** Ranges of keys, read from both sides. */
export function compareInOrder(pair: TablePair, keys: OrderedKeys): VerifyPass {
  const plain = plainColumns(pair);
  const names = plain ?? [...new Set([...keys.source, ...pair.map.reads])];
  const sourceRow = rowReader(pair.source, names);
  const buffers = rawBuffers();
  const readRange = (
    connection: Connection,
    table: Table,
    columns: readonly string[],
    order: readonly string[],
    range: Range,
  ) => {
    const of = (key: Row) =>
      Object.fromEntries(order.map((name, at) => [name, key[keys.source[at] ?? ''] ?? null]));
    const conditions = [
      isBehind(range.after && of(range.after), order, table),
      ...(range.upTo ? [isUpTo(of(range.upTo), order, table)] : []),
    ];
    return readRawRows(
      connection,
      table,
      columns,
      `WHERE ${conditions.join(' AND ')} ORDER BY ${orderBy(order)}`,
      buffers,
    );
  };
  return {
    table: pair.source,
    side: 'source',
    names: keys.source,
    async look({ source, target }, range, tally, reach) {
      const taken: RawRows[] = [];
      const take = async (reading: Promise<RawRows>) => {
        const rows = await reading;
        taken.push(rows);
        return rows;
      };
      try {
        const rows = await take(readRange(source, pair.source, names, keys.source, range));
        for (const counts of tally) counts.sourceRows += rows.count;
        await reach();
        const found = await take(readRange(target, pair.target, pair.map.writes, keys.target, range));
        if (tally[0]) tally[0].targetRows += found.count;
        const children: RawRows[] = [];
        for (const [index, child] of pair.children.entries()) {
          const order = keys.children[index] ?? [];
          const ofChild = await take(readRange(target, child, pair.childColumns(index), order, range));
          children.push(ofChild);
          const counts = tally[index + 1];
          if (counts) counts.targetRows += ofChild.count;
        }
        const looked = { rows: rows.count, bytes: rows.wire.length };
        if (plain && rows.wire.equals(found.wire)) {
          if (tally[0]) tally[0].compared += rows.count;
          return { ...looked, doubtful: [] };
        }
        const [cut, cutFound] = [cutRows(rows), cutRows(found)];
        const apart = plain ? apartByBytes(cut, cutFound, keys.source.length) : allApart(cut, cutFound);
        if (tally[0]) tally[0].compared += apart.equal;
        const rest = { rows: cut, sourceRow, found: cutFound, children: children.map(cutRows), ...apart };
        return { ...looked, doubtful: compareRest(pair, rest, tally) };
      } finally {
        for (const rows of taken) rows.giveBack();
      }
    },
  };
}

type Rest = Omit<Apart, 'equal'> & {
  readonly rows: CutRows;
  readonly sourceRow: (rows: CutRows, index: number) => Row;
  readonly found: CutRows;
  readonly children: readonly CutRows[];
};

/** Compares the values of what is left by keys, whatever their order. */
function compareRest(pair: TablePair, rest: Rest, tally: Tally): readonly Row[] {
  const { rows, sourceRow, found, children, sources, founds } = rest;
  const targetRow = rowReader(pair.target, pair.map.writes);
  const { keyNames } = pair.map;
  type There = { readonly key: Row; row: Row | undefined; readonly children: Row[][] };
  const there = new Map<string, There>();
  const thereOf = (key: Row) => {
    const text = targetKeyText(pair, key);
    let entry = there.get(text);
    if (!entry) there.set(text, (entry = { key, row: undefined, children: pair.children.map(() => []) }));
    return entry;
  };
  for (const index of founds) {
    const row = targetRow(found, index);
    thereOf(Object.fromEntries(keyNames.map((name) => [name, row[name] ?? null]))).row = row;
  }
  for (const [index, child] of pair.children.entries()) {
    const childRow = rowReader(child, pair.childColumns(index));
    const ofChild = children[index] as CutRows;
    for (let at = 0; at < ofChild.starts.length; at++) {
      const row = childRow(ofChild, at);
      thereOf(parentKey(pair, index, row)).children[index]?.push(row);
    }
  }
  const nothing: Found = { row: undefined, children: pair.children.map(() => []) };
  const doubtful: Row[] = [];
  for (const index of sources) {
    const row = sourceRow(rows, index);
    if (!pair.map.takes(row)) {
      for (const counts of tally) counts.sourceRows--;
      continue;
    }
    const key = pair.map.keyOf(row);
    const text = targetKeyText(pair, key);
    const mapped = expectedOf(pair, row);
    if (!mapped || compareRow(pair, mapped, there.get(text) ?? nothing).length > 0) doubtful.push(key);
    else countCompared(tally, mapped);
    there.delete(text);
  }
  // What no source row of the range has asked for.
  return [...doubtful, ...[...there.values()].map(({ key }) => key)];
}
