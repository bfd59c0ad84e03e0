import type { Row, TableProgress } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ProgressUpdate } from './apply.js';
import { parseKey, printKey } from './key-text.js';
import { quoted, isBehind, readRows, tableName } from './sql.js';
import type { StopPoints } from './stop-points.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';
import type { Throttle } from './throttle.js';
import type { Watermarks } from './watermarks.js';

const FIRST_ROWS = 100;
const LETTERS_A_CHUNK = 4_000_000;

/** Rows of a chunk: few at first, then as many as their length lets be. */
export const chunkSize = (most: number, before?: readonly Row[]): number =>
  before === undefined
    ? Math.min(most, FIRST_ROWS)
    : Math.max(1, Math.min(most, Math.floor(LETTERS_A_CHUNK / averageLength(before))));

/** Rows of a table as they were at some moment between two watermarks. */
export type Chunk = {
  readonly pair: TablePair;
  readonly low: string;
  readonly high: string;
  readonly rows: readonly Row[];
  /** Keys of the target that had no source row between them. */
  readonly gone?: readonly Row[];
  /** Left out: nobody counts it. */
  readonly progress?: ProgressUpdate;
  /** Set when it was left out, because the log touched too many keys between its watermarks. */
  isStale?: boolean;
};

export type Progress = {
  readonly table: string;
  readonly lastKey: string | null;
  readonly copied: number;
  readonly total: number;
  readonly done: boolean;
};

export type BackfillOptions = {
  readonly source: Connection;
  readonly pairs: readonly TablePair[];
  readonly chunkRows: number;
  readonly progress: ReadonlyMap<string, Progress>;
  readonly stopPoints: StopPoints;
  readonly newToken: () => string;
  readonly watermarks: Pick<Watermarks, 'write'>;
  readonly throttle: Throttle;
  /** Announces a chunk before its high watermark is written; resolves when it is applied. */
  readonly announce: (chunk: Chunk) => Promise<void>;
};

/**
 * Copies tables in chunks by primary key while their log is followed, without any lock: DBLog's watermarks (Andreakis and Papapanagiotou,
 * "DBLog: A Watermark Based Change-Data-Capture Framework", 2020). Whoever applies a chunk leaves out the rows that the log
 * has changed between its two watermarks.
 */
export async function backfill(options: BackfillOptions, signal: AbortSignal): Promise<void> {
  const { source, stopPoints, watermarks, newToken } = options;
  for (const pair of options.pairs) {
    const start = options.progress.get(pair.name);
    if (start?.done) continue;
    const key = pair.source.primaryKey;
    const names = [...new Set([...key, ...pair.map.reads])];
    let last: Row | null = start?.lastKey ? parseKey(start.lastKey, key, pair.source) : null;
    // Everything logged before a watermark can be seen once its commit is back. Without one, a row that is logged before our stream begins
    // but cannot be seen yet would lie behind the end and be missed.
    await watermarks.write('low', newToken());
    // What gets a key behind the last one from here on is in the log: a table that grows faster than it is copied has an end all the same.
    const [end] = await readRows(
      source,
      pair.source,
      key,
      `ORDER BY ${key.map((name) => `${quoted(name)} DESC`).join(', ')} LIMIT 1`,
    );
    let size = chunkSize(options.chunkRows);
    for (let isLast = false; !isLast;) {
      await options.throttle.pass(signal);
      const [low, high] = [newToken(), newToken()];
      await watermarks.write('low', low);
      await stopPoints('after-low-watermark');
      const range = `${isBehind(last, key, pair.source)} AND ${end ? `NOT (${isBehind(end, key, pair.source)})` : 'FALSE'}`;
      const order = key.map((name) => quoted(name)).join(', ');
      const rows = await readRows(
        source,
        pair.source,
        names,
        `WHERE ${range} ORDER BY ${order} LIMIT ${size}`,
      );
      await stopPoints('chunk-read');
      const isEnd = rows.length < size;
      const reached = rows.at(-1) ?? last;
      const lastKey = reached === null ? null : printKey(reached, key);
      const chunk: Chunk = {
        pair,
        low,
        high,
        rows,
        progress: { table: pair.name, lastKey, copied: rows.length, done: isEnd },
      };
      const applied = options.announce(chunk);
      // It may fail while the watermark is still being written.
      applied.catch(() => {});
      await watermarks.write('high', high);
      await applied;
      if (chunk.isStale) continue;
      isLast = isEnd;
      size = chunkSize(options.chunkRows, rows);
      last = reached;
    }
  }
}

const averageLength = (rows: readonly Row[]): number =>
  rows.reduce(
    (sum, row) => sum + Object.values(row).reduce((length, value) => length + (value?.length ?? 0), 0),
    1,
  ) / Math.max(1, rows.length);

/** How many rows there are to copy, counted once at the first start. */
export async function countRows(source: Connection, table: Table, where = 'TRUE'): Promise<number> {
  const [rows] = await source.query<RowDataPacket[]>(
    `SELECT COUNT(*) total FROM ${tableName(table)} WHERE ${where}`,
  );
  return Number(rows[0]?.['total']);
}

/** Time left at the pace so far, counted from where this process began; null when nothing can be said. */
export function etaMs(
  tables: readonly TableProgress[],
  copiedBefore: number,
  elapsedMs: number,
): number | null {
  const copied = tables.reduce((sum, table) => sum + table.copied, 0);
  const left = tables.reduce(
    (sum, table) => sum + (table.done ? 0 : Math.max(0, table.total - table.copied)),
    0,
  );
  if (tables.every((table) => table.done)) return 0;
  const done = copied - copiedBefore;
  return done <= 0 || elapsedMs <= 0 ? null : Math.round((left / done) * elapsedMs);
}
