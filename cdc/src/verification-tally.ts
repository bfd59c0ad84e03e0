import type { TableVerification } from '@strangler/contracts';
import type { Difference } from './compare-rows.js';
import type { MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';

const SAMPLES = 10;
const KINDS = ['different', 'missing', 'extra'] as const;

type Counts = {
  sourceRows: number;
  targetRows: number;
  compared: number;
  parked: number;
  different: number;
  missing: number;
  extra: number;
  samples: readonly { readonly key: string; readonly difference: string }[];
};

/** What was found in the target tables of one mapping, the target first, then those of its splits. Plain data. */
export type Tally = readonly Counts[];

export const newTally = (pair: TablePair): Tally =>
  [pair.target, ...pair.children].map(() => ({
    sourceRows: 0,
    targetRows: 0,
    compared: 0,
    parked: 0,
    different: 0,
    missing: 0,
    extra: 0,
    samples: [],
  }));

/** Every target row of a source row was compared. */
export function countCompared(tally: Tally, row: MappedRow): void {
  for (const [index, counts] of tally.entries())
    counts.compared += index === 0 ? 1 : (row.children[index - 1]?.rows.length ?? 0);
}

export function countDifference(
  tally: Tally,
  pair: TablePair,
  { table, kind, key, difference }: Difference,
  isParked: boolean,
): void {
  const index = [pair.target, ...pair.children].findIndex(({ name }) => name === table);
  const counts = tally[index] as Counts;
  if (isParked) counts.parked++;
  else {
    counts[kind]++;
    if (counts.samples.length < SAMPLES) counts.samples = [...counts.samples, { key, difference }];
  }
}

/** Adds what one part has found to the whole. */
export function addTally(whole: Tally, part: Tally): void {
  for (const [index, counts] of whole.entries()) {
    const { samples, ...more } = part[index] as Counts;
    for (const name of Object.keys(more) as (keyof typeof more)[]) counts[name] += more[name];
    counts.samples = [...counts.samples, ...samples].slice(0, SAMPLES);
  }
}

export const driftIn = (tally: Tally): number =>
  tally.reduce((sum, counts) => sum + KINDS.reduce((rows, kind) => rows + counts[kind], 0), 0);

export const tablesOf = (pair: TablePair, tally: Tally): readonly TableVerification[] =>
  [pair.target, ...pair.children].map((table, index) => ({
    from: pair.source.name,
    to: table.name,
    ...(tally[index] as Counts),
  }));
