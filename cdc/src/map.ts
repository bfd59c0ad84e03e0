import type { Row, SplitRule, TableMapping } from '@strangler/contracts';
import { compileBackward } from './map-backward.js';
import { compileForward } from './map-forward.js';
import { type MappingFunctions, NO_FUNCTIONS } from './mapping-functions.js';
import { isReversed } from './reverse.js';
import type { Table } from './table.js';

/** The rows of one child table that a source row asks for; `parent` names them by the columns of the split's key. */
export type Children = { readonly split: SplitRule; readonly parent: Row; readonly rows: readonly Row[] };

/** What a source row becomes: one target row and, for each split, its children. */
export type MappedRow = { readonly key: Row; readonly columns: Row; readonly children: readonly Children[] };
export type Mapped =
  | { readonly ok: true; readonly row: MappedRow }
  /** `reason` ends a sentence that starts with the source column. */
  | { readonly ok: false; readonly column: string; readonly reason: string };

export type RowMap = {
  readonly mapping: TableMapping;
  /** Source columns the mapping reads, each once. */
  readonly reads: readonly string[];
  /** Columns of the target's key, those that are constant here last. */
  readonly keyNames: readonly string[];
  /** What of the key all rows of this mapping have; a row of the target with something else is another mapping's. */
  readonly own: Row;
  /** Target columns it writes, the key's first. */
  readonly writes: readonly string[];
  /** Whether the mapping takes a source row at all (`where`): one that it does not take is no source row. */
  readonly takes: (row: Row) => boolean;
  readonly map: (row: Row) => Mapped;
  /** The target's key of a source row. */
  readonly keyOf: (row: Row) => Row;
};

/** Two rows have the same key exactly when their texts here are equal. */
export const keyText = (key: Row): string =>
  JSON.stringify(
    Object.values(key).map((value) =>
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value,
    ),
  );

/** A key as a person reads it. */
export const keyShown = (key: Row): string =>
  Object.values(key)
    .map((value) => (value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : String(value)))
    .join(',');

/** What else a mapping is compiled with; without its tables values are compared as texts. */
export type CompileWith = {
  readonly functions?: MappingFunctions;
  readonly source?: Table;
  readonly target?: Table;
};

/** Compiles a table's mapping once, whichever way it goes; the result is pure. */
export function compileMapping(
  mapping: TableMapping,
  { functions = NO_FUNCTIONS, ...tables }: CompileWith = {},
): RowMap {
  return isReversed(mapping)
    ? compileBackward(mapping, functions, tables)
    : compileForward(mapping, functions);
}
