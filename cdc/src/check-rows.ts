import type { Problem, TableMapping } from '@strangler/contracts';
import { StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { checkLaws, type LawFailure } from './laws.js';
import { loadFunctions } from './load-functions.js';
import { compileMapping } from './map.js';
import { sampleRows } from './sample-rows.js';
import type { Table } from './table.js';

export type RowsOf = {
  readonly mapping: TableMapping;
  readonly source: Table;
  readonly target: Table;
  readonly connection: Connection;
  readonly path: string;
  /** Rows that are looked at, besides those with the extremes of each column. */
  readonly rows: number;
  /** Whether a row that would be parked is told too; it keeps nothing from starting. */
  readonly tellsRefused: boolean;
  readonly random: () => number;
};

const CODES: Readonly<Record<LawFailure['law'], string>> = {
  refused: 'VALUE_UNMAPPED',
  lost: 'LAW_BROKEN',
  key: 'KEYS_COLLIDE',
};

/** The laws of a mapping on some rows of its source as they stand. */
export async function checkRows({
  mapping,
  source,
  target,
  connection,
  path,
  rows,
  ...options
}: RowsOf): Promise<readonly Problem[]> {
  const reads = compileMapping(mapping).reads;
  try {
    const functions = await loadFunctions(mapping);
    const sample = await sampleRows(connection, source, reads, rows, options.random);
    return checkLaws(mapping, sample, { functions, source, target })
      .filter(({ law }) => options.tellsRefused || law !== 'refused')
      .map((failure) => ({
        code: CODES[failure.law],
        path,
        message: `row "${failure.key}" of table "${source.name}": column "${failure.column}" ${failure.reason} (${failure.rows} of ${sample.length} rows looked at)`,
        remedy: failure.remedy,
      }));
  } catch (error) {
    if (!(error instanceof StranglerError)) throw error;
    return [{ code: error.code, path, message: error.message, remedy: 'correct it, then check again' }];
  }
}
