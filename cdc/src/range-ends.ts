import type { Row } from '@strangler/contracts';
import { largestOf } from './check-head-room.js';
import { columnOf, type Table } from './table.js';
import type { Range } from './verify-passes.js';

/** Where the ranges end that a table is read in, one behind the other. */
export type RangeEnds = {
  /** The end of a range that has about so many rows, and no more; null: there are not so many left. */
  next(after: Row | null, size: number): Promise<Row | null>;
  /** To be told of what was found in a range. */
  found(range: Range, rows: number): void;
};

/** Share of the numbers between two keys that are keys themselves, from which on they are counted and not looked up. */
const DENSE = 0.5;

/**
 * Asks the server for each end, for which it goes through the keys once more; but not where the key is one whole number and few are left out: so many numbers are as many rows at most. Behind a range
 * with few rows it asks again, and so it does at the end.
 */
export function rangeEnds(
  table: Table,
  names: readonly string[],
  ask: (after: Row | null, size: number) => Promise<Row | null>,
): RangeEnds {
  const name = names.length === 1 ? names[0] : undefined;
  const column = name === undefined ? undefined : columnOf(table, name);
  if (name === undefined || column?.kind !== 'integer') return { next: ask, found() {} };
  const largest = largestOf(column) ?? 0n;
  const numberIn = (key: Row) => BigInt(String(key[name]));
  let isDense = false;
  return {
    async next(after, size) {
      const end = after && isDense ? numberIn(after) + BigInt(size) : undefined;
      return end === undefined || end >= largest ? ask(after, size) : { [name]: String(end) };
    },
    found({ after, upTo }, rows) {
      if (after && upTo) isDense = rows >= DENSE * Number(numberIn(upTo) - numberIn(after));
    },
  };
}
