import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationData, Offset } from '@strangler/contracts';
import { Applier } from './apply.js';
import { backfill, type Chunk, countRows, type Progress } from './backfill.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { applyBehind, targetNotEmpty } from './errors.js';
import { inBatches } from './in-batches.js';
import { addProgress, readProgress } from './progress.js';
import { createScanner } from './scan.js';
import { tableName } from './sql.js';
import type { StopPoints } from './stop-points.js';
import { pairOf, type TablePair } from './table-pair.js';
import { type Watermark, type WatermarkKind, watermarkTable, writeWatermark } from './watermark.js';
import type { RowDataPacket, Connection } from 'mysql2/promise';

export const HEARTBEAT_MS = 500;
const CHANGES_A_BATCH = 1_000;
const REACH_DEADLINE_MS = 30_000;

export type PipelineOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly data: MigrationData;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  readonly clock: () => number;
  readonly random: () => number;
  readonly stopPoints: StopPoints;
  readonly observer: PipelineObserver;
};

/** What a running pipeline tells. */
export type PipelineObserver = {
  onProgress(progress: ReadonlyMap<string, Progress>): void;
  onApplied(applied: { readonly offset: Offset; readonly transactions: number; readonly rows: number }): void;
  onHeartbeat(writtenAt: number, committedAt: number): void;
  onRetry(error: unknown): void;
  /** It is tailing from here on; the flow can be asked for verification. */
  onFlow(flow: Flow): void;
};

/** A running pipeline as verification sees it. */
export type Flow = {
  readonly pairs: readonly TablePair[];
  /** Writes a watermark into the source and waits until the target has everything before it. Throws APPLY_BEHIND. */
  reach(signal: AbortSignal): Promise<void>;
  /** Calls back for every key the log touches, until the returned function is called. */
  watch(onTouched: (table: string, key: string) => void): () => void;
};

/**
 * Keeps the target of one migration equal to its source: binlog -> capture -> decode -> map -> apply, and at first a backfill beside it.
 * Ends when `signal` is aborted; throws what it cannot go on from. Everything it needs to go on is in the target database.
 */
export async function runPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { stream, from, to, observer, clock } = options;
  const end = new AbortController();
  const running = AbortSignal.any([signal, end.signal]);
  const connections: Connection[] = [];
  const open = async (database: Database, settings?: readonly string[]) => {
    const connection = await connect(database, settings);
    connections.push(connection);
    return connection;
  };
  const applier = new Applier({
    target: to,
    stream,
    stopPoints: options.stopPoints,
    random: options.random,
    onRetry: (error) => observer.onRetry(error),
  });
  const sideTasks: Promise<void>[] = [];
  try {
    const [source, marks, target] = [await open(from), await open(from), await open(to)];
    await ensureTables(source, controlSchemaOf(from), SOURCE_TABLES);
    await ensureTables(target, controlSchemaOf(to), TARGET_TABLES);
    const pairs: TablePair[] = [];
    for (const mapping of options.data.tables) pairs.push(await pairOf(mapping, from, source, to, target));
    const changes = options.sourceOf([
      ...pairs.map((pair) => ({ database: from.schema, table: pair.source.name, columns: pair.map.reads })),
      watermarkTable(controlSchemaOf(from)),
    ]);
    const start = (await applier.takeOver())?.offset ?? (await begin());
    const progress = await readProgress(target, to, stream);
    observer.onProgress(progress);

    const handed = new Map<string, { readonly chunk: Chunk; readonly done: () => void }>();
    const waiting = new Map<string, () => void>();
    const watchers = new Set<(table: string, key: string) => void>();
    const mark = (kind: WatermarkKind, token: string) =>
      writeWatermark(marks, controlSchemaOf(from), stream, { kind, token, at: clock() });
    const scan = createScanner({
      stream,
      watermarkSchema: controlSchemaOf(from),
      pairs,
      chunkOf: (high) => handed.get(high)?.chunk,
      onTouched: (table, key) => watchers.forEach((watch) => watch(table, key)),
    });

    const flow: Flow = {
      pairs,
      async reach(given) {
        const token = newToken();
        const reached = new Promise<void>((done) => waiting.set(token, done));
        await mark('verify', token);
        const deadline = AbortSignal.any([given, running, AbortSignal.timeout(REACH_DEADLINE_MS)]);
        await Promise.race([reached, aborted(deadline)]);
        waiting.delete(token);
        if (given.aborted) given.throwIfAborted();
        if (deadline.aborted) throw applyBehind(stream, REACH_DEADLINE_MS);
      },
      watch(onTouched) {
        watchers.add(onTouched);
        return () => watchers.delete(onTouched);
      },
    };
    observer.onFlow(flow);

    const beside = (task: Promise<void>) =>
      sideTasks.push(task.catch((error: unknown) => (running.aborted ? undefined : end.abort(error))));
    beside(heartbeats());
    beside(
      backfill(
        {
          source,
          pairs,
          chunkRows: options.data.chunkRows,
          progress,
          stopPoints: options.stopPoints,
          token: newToken,
          mark,
          hand: (chunk) =>
            new Promise<void>((done, fail) => {
              handed.set(chunk.high, { chunk, done });
              running.addEventListener('abort', () => fail(new Error('ended')), { once: true });
            }),
        },
        running,
      ),
    );

    for await (const transactions of inBatches(
      changes.stream(start, running),
      CHANGES_A_BATCH,
      ({ changes: { length } }) => length,
    )) {
      const last = transactions.at(-1);
      if (!last) continue;
      const scanned = scan(transactions);
      await applier.apply(
        {
          writes: scanned.writes,
          progress: scanned.progress,
          transactions: transactions.length,
          offset: last.next,
          transactionId: last.id,
        },
        running,
      );
      observer.onApplied({ offset: last.next, transactions: transactions.length, rows: scanned.rows });
      for (const { table, lastKey, copied, done } of scanned.progress) {
        const before = progress.get(table);
        progress.set(table, {
          table,
          lastKey,
          done,
          copied: (before?.copied ?? 0) + copied,
          total: before?.total ?? 0,
        });
      }
      if (scanned.progress.length > 0) observer.onProgress(progress);
      for (const { high } of scanned.chunks) {
        handed.get(high)?.done();
        handed.delete(high);
      }
      for (const watermark of scanned.watermarks) reached(watermark);
    }
    if (end.signal.aborted) throw end.signal.reason;

    function reached({ kind, token, at }: Watermark): void {
      if (kind === 'heartbeat') observer.onHeartbeat(at, clock());
      waiting.get(token)?.();
    }

    async function heartbeats(): Promise<void> {
      for (;;) {
        await mark('heartbeat', newToken());
        await delay(HEARTBEAT_MS, undefined, { signal: running });
      }
    }

    /** The offset comes first: what changes while tables are counted is followed from there. */
    async function begin(): Promise<Offset> {
      for (const pair of pairs)
        for (const table of [pair.target, ...pair.children]) {
          const [rows] = await target.query<RowDataPacket[]>(`SELECT 1 FROM ${tableName(table)} LIMIT 1`);
          if (rows.length > 0) throw targetNotEmpty(table.name);
        }
      const offset = await changes.now();
      const totals = new Map<string, number>();
      for (const pair of pairs) totals.set(pair.source.name, await countRows(source, pair.source));
      await applier.begin(offset, async (connection) => {
        for (const [name, total] of totals) await addProgress(connection, to, stream, name, total);
      });
      return offset;
    }
  } finally {
    end.abort(new Error('ended'));
    applier.close();
    for (const connection of connections) connection.destroy();
    await Promise.all(sideTasks);
  }
}

const newToken = (): string => randomBytes(12).toString('hex');

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
