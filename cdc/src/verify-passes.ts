import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { compareRow, type Found, targetKeyText } from './compare-rows.js';
import { compareInOrder, walkInOrder } from './key-order.js';
import { type Expected, expectedRows } from './expected-rows.js';
import { ownRows } from './own-rows.js';
import { parentKey, readSourceKeys, readsOf, readTarget } from './read-pair.js';
import { isBehind, isUpTo, quoted, readRows } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';
import { countCompared, type Tally } from './verification-tally.js';

export type Sides = { readonly source: Connection; readonly target: Connection };
/** Keys behind `after` up to `upTo`, of the columns that a pass goes by; null: from the first, to the last. */
export type Range = { readonly after: Row | null; readonly upTo: Row | null };

export type Looked = {
  readonly rows: number;
  readonly bytes: number;
  /** Target keys that do not look equal. */
  readonly doubtful: readonly Row[];
};

/** One way through a table, by ranges of its keys in order. */
export type VerifyPass = {
  readonly table: Table;
  readonly side: keyof Sides;
  readonly names: readonly string[];
  /** Of these columns there are several rows in the table. */
  readonly isGrouped?: boolean;
  /** Compares a range. `reach` is called when the rows of the source are read: what was committed before is then in the target. */
  look(sides: Sides, range: Range, tally: Tally, reach: () => Promise<void>): Promise<Looked>;
};

/**
 * Where the keys of both sides are in one order, ranges of them are read from both at once, and what is missing is found with what is too many. Else the source is gone
 * through with lists of its keys, then each table of the target.
 */
export function verifyPasses(pair: TablePair): readonly VerifyPass[] {
  const ordered = walkInOrder(pair);
  return ordered ? [compareInOrder(pair, ordered)] : [bySourceKeys(pair), ...byTargetKeys(pair)];
}

const orderBy = (names: readonly string[]) => names.map((name) => quoted(name)).join(', ');
const within = ({ after, upTo }: Range, names: readonly string[], table: Table) =>
  `WHERE ${isBehind(after, names, table)}${upTo ? ` AND ${isUpTo(upTo, names, table)}` : ''}`;
const lettersOf = (rows: readonly Row[]) =>
  rows.reduce(
    (sum, row) => sum + Object.values(row).reduce((length, value) => length + (value?.length ?? 0), 0),
    0,
  );

/** The key that ends a range of so many rows; null when there are not so many. */
export async function endOfRange(
  connection: Connection,
  { table, names, isGrouped }: VerifyPass,
  after: Row | null,
  size: number,
): Promise<Row | null> {
  const rows = await readRows(
    connection,
    table,
    names,
    `${within({ after, upTo: null }, names, table)} ${isGrouped ? `GROUP BY ${orderBy(names)}` : ''} ORDER BY ${orderBy(names)} LIMIT ${size - 1}, 1`,
  );
  return rows[0] ?? null;
}

function bySourceKeys(pair: TablePair): VerifyPass {
  const names = pair.source.primaryKey;
  return {
    table: pair.source,
    side: 'source',
    names,
    async look({ source, target }, range, tally, reach) {
      const all = await readRows(
        source,
        pair.source,
        [...new Set([...names, ...readsOf(pair)])],
        within(range, names, pair.source),
      );
      const rows = all.filter(pair.map.takes);
      const expected = await expectedRows(source, pair, rows);
      for (const counts of tally) counts.sourceRows += rows.length;
      await reach();
      const doubtful =
        rows.length === 0
          ? []
          : compareAll(pair, rows, expected, await readTarget(target, pair, rows.map(pair.map.keyOf)), tally);
      return { rows: all.length, bytes: lettersOf(all), doubtful };
    },
  };
}

/** Counts the rows that are equal, and answers the keys of the others. */
function compareAll(
  pair: TablePair,
  rows: readonly Row[],
  expected: Expected,
  found: (key: Row) => Found,
  tally: Tally,
): Row[] {
  const doubtful: Row[] = [];
  for (const row of rows) {
    const key = pair.map.keyOf(row);
    const mapped = expected(row);
    if (!mapped || compareRow(pair, mapped, found(key)).length > 0) doubtful.push(key);
    else countCompared(tally, mapped);
  }
  return doubtful;
}

/** Keys of the target and of its children that no source row has. */
function byTargetKeys(pair: TablePair): readonly VerifyPass[] {
  const { keyNames } = pair.map;
  return [pair.target, ...pair.children].map((table, index): VerifyPass => {
    const names = index === 0 ? keyNames : Object.keys(pair.map.mapping.split[index - 1]?.key ?? {});
    return {
      table,
      side: 'target',
      names,
      isGrouped: index > 0,
      async look({ source, target }, range, tally) {
        const own = index === 0 ? ` AND ${ownRows(pair)}` : '';
        const rows = await readRows(target, table, names, `${within(range, names, table)}${own}`);
        const counts = tally[index];
        if (counts) counts.targetRows += rows.length;
        const keys = new Map<string, Row>();
        for (const row of rows) {
          const key = index === 0 ? row : parentKey(pair, index - 1, row);
          keys.set(targetKeyText(pair, key), key);
        }
        const [all, looked] = [[...keys.values()], { rows: rows.length, bytes: lettersOf(rows) }];
        for (const key of all.length === 0 ? [] : await readSourceKeys(source, pair, all))
          keys.delete(targetKeyText(pair, key));
        const extra = [...keys.values()];
        if (index === 0 || extra.length === 0) return { ...looked, doubtful: extra };
        // A key is looked at whole: what stands in a table before this one was found there.
        const found = await readTarget(target, pair, extra);
        const doubtful = extra.filter((key) => {
          const { row, children } = found(key);
          return !row && children.slice(0, index - 1).every((before) => before.length === 0);
        });
        return { ...looked, doubtful };
      },
    };
  });
}
