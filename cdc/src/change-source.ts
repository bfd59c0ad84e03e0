import type { Offset, SourceTransaction } from '@strangler/contracts';
import type { TablePair } from './table-pair.js';

/**
 * Where committed changes come from. Offsets always stand between two transactions.
 * What is yielded has every captured column, in canonical form; transactions that touch no captured table are left out.
 */
export type ChangeSource = {
  /** The offset behind everything that was committed before the call. */
  now(): Promise<Offset>;
  /**
   * Yields every transaction committed behind `from`, in commit order, until `signal` is aborted; then it ends. A large one comes in pieces of bounded
   * size (`isContinued`). Reads ahead by a bounded number of bytes only. Throws LOG_PURGED, STATEMENT_NOT_FOLLOWED, COLUMN_GONE when the caller
   * cannot go on, and LOG_UNREADABLE when it may try again from the last offset it has applied.
   */
  stream(from: Offset, signal: AbortSignal): AsyncIterable<SourceTransaction>;
};

/** A table to capture, with the columns that the caller cannot do without. */
export type CapturedTable = {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Told of columns that a statement adds, before anything behind it is read; what it throws ends the stream. */
  readonly onAdded?: (columns: readonly string[]) => void;
};

/** Each source table of mappings once, with all the columns that they read of it. */
export function capturedBy(pairs: readonly Pick<TablePair, 'source' | 'map'>[]): readonly CapturedTable[] {
  const tables = new Map<string, { readonly database: string; readonly table: string; columns: string[] }>();
  for (const { source, map } of pairs) {
    const { database, name: table } = source;
    const known = tables.get(table);
    tables.set(table, {
      database,
      table,
      columns: [...new Set([...(known?.columns ?? []), ...map.reads])],
    });
  }
  return [...tables.values()];
}
