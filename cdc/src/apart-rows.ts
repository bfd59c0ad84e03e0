import { areSameRows, type CutRows, isSameRow } from './raw-rows.js';

/** What of two lists of rows is equal, and the places of the rows that may not be. */
export type Apart = {
  readonly equal: number;
  readonly sources: readonly number[];
  readonly founds: readonly number[];
};

const indexes = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
export const allApart = (rows: CutRows, found: CutRows): Apart => ({
  equal: 0,
  sources: indexes(0, rows.starts.length),
  founds: indexes(0, found.starts.length),
});

/** Rows that are compared at once. */
const MOST_AT_ONCE = 1_024;

/** Goes through both sides by bytes, and leaves what is not equal: a row that differs, that one side lacks, or all from where they are further apart. */
export function apartByBytes(rows: CutRows, found: CutRows, keyColumns: number): Apart {
  const [most, mostFound] = [rows.starts.length, found.starts.length];
  const sources: number[] = [];
  const founds: number[] = [];
  const isSameKey = (i: number, j: number) =>
    i < most && j < mostFound && isSameRow(rows, i, found, j, keyColumns);
  let [i, j, equal] = [0, 0, 0];
  // Both are the same in long stretches, between what is written meanwhile.
  let stretch = MOST_AT_ONCE;
  while (i < most && j < mostFound) {
    if (stretch > 1 && areSameRows(rows, i, found, j, stretch)) {
      i += stretch;
      j += stretch;
      equal += stretch;
      stretch = Math.min(MOST_AT_ONCE, 2 * stretch);
    } else if (stretch > 1) stretch >>= 1;
    else if (isSameRow(rows, i, found, j)) {
      i++;
      j++;
      equal++;
      stretch = 2;
    } else if (isSameKey(i, j)) {
      sources.push(i++);
      founds.push(j++);
    } else if (isSameKey(i, j + 1)) founds.push(j++);
    else if (isSameKey(i + 1, j)) sources.push(i++);
    else break;
  }
  return {
    equal,
    sources: [...sources, ...indexes(i, most)],
    founds: [...founds, ...indexes(j, mostFound)],
  };
}
