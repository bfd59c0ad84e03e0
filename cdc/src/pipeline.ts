// Long: the one place where all that runs beside the flow is put together and taken apart.

import type {
  ConflictCount,
  MigrationData,
  Offset,
  ParkingResult,
  Row,
  SourceTransaction,
  StrayWrites,
  ThrottleLimits,
} from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { type AddedColumns, whenAdded } from './added-columns.js';
import { createAnnounced } from './announced.js';
import { Applier } from './apply.js';
import { originsTold } from './both-directions.js';
import { ownWritesIn } from './both-writers.js';
import { backfill, type Chunk, type Progress } from './backfill.js';
import { capturedBy, type CapturedTable, type ChangeSource } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { flowEnded } from './errors.js';
import type { FlowClock } from './flow-clock.js';
import { readParents } from './foreign-keys.js';
import { firstStart } from './first-start.js';
import { inBatches } from './in-batches.js';
import { createTurns } from './in-turn.js';
import type { TripwireLimits } from './loop-tripwire.js';
import { memoryTaken } from './memory-taken.js';
import type { OwnWrites } from './own-writes.js';
import { type Parked, type ParentsOf } from './parking-lot.js';
import { addToProgress, forgetProgress, readProgress } from './progress.js';
import { createRecopier, type Recopier, type RecopyWish } from './recopy.js';
import { recopyStore, type StoredRecopy } from './recopy-store.js';
import { type ParkingWish, type Repair, repairParked } from './repair.js';
import { createScanner, type Scanned } from './scan.js';
import { readServerLoad } from './server-load.js';
import { createStands, type Stand } from './stands.js';
import type { StopPoints } from './stop-points.js';
import { pairsOf } from './pairs-of.js';
import type { TablePair } from './table-pair.js';
import { lookForStrayWrites } from './stray-log.js';
import { createThrottle, type Throttle } from './throttle.js';
import { watermarkOf, watermarkTable } from './watermark.js';
import { createWatermarks, isBy, newToken } from './watermarks.js';

/** Memory that the changes of one target statement batch may take; their rows and statements take about as much again. */
const BYTES_A_BATCH = 4_000_000;

const NEVER: ThrottleLimits = { maxLagMs: 0, maxThreadsRunning: 0, maxRowLockWaits: 0, maxHistoryLength: 0 };

export type PipelineOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly data: MigrationData;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  /** The stream that writes into the source: what it has written is left out. */
  readonly echoesOf?: string;
  /** Both sides are equal where the stream begins, so nothing is copied. */
  readonly beginsEqual?: boolean;
  readonly tripwire?: TripwireLimits;
  readonly flowClock: FlowClock;
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly stopPoints: StopPoints;
  /** Keys that may be parked. */
  readonly maxParkedKeys: number;
  /** When the copy pauses; never when left out. */
  readonly throttle?: ThrottleLimits;
  /** Of the stream, null before it is known. */
  readonly lagMs?: () => number | null;
  readonly observer: PipelineObserver;
};

/** What a running pipeline tells. */
export type PipelineObserver = {
  onProgress(progress: ReadonlyMap<string, Progress>): void;
  onApplied(applied: { readonly offset: Offset; readonly transactions: number; readonly rows: number }): void;
  /** Everything before the heartbeat is in the target; `isOurs`: this very process has written it. */
  onHeartbeat(writtenAt: number, committedAt: number, isOurs: boolean): void;
  /** Something failed and is tried again. */
  onRetry(error: unknown): void;
  /** The keys that are parked, whenever they have changed. */
  onParked(parked: ReadonlyMap<string, Parked>): void;
  /** Why the copy pauses, null while it does not. */
  onThrottled?(reason: string | null): void;
  /** What is copied again, or was last, whenever that has changed. */
  onRecopies?(recopies: readonly StoredRecopy[]): void;
  onStrayWrites?(found: StrayWrites): void;
  /** Columns that are new in the source and left out. */
  onAddedColumns?(added: AddedColumns): void;
  /** Conflicts that were settled, when they are committed. */
  onConflicts?(conflicts: readonly ConflictCount[]): void;
  /** The flow runs from here on and can be asked for a verification. */
  onFlow(flow: Flow): void;
};

type Committed = Omit<Scanned, 'writes' | 'seen'> & { readonly transactions: number };

/** A running pipeline as verification sees it. */
export type Flow = {
  readonly pairs: readonly TablePair[];
  /** Resolves when the target has everything that was committed in the source before the call. Throws APPLY_BEHIND. */
  reach(signal: AbortSignal): Promise<void>;
  /** Calls back for every key of a target that the log touches, with the name of its pair and null where it may be any, until the returned function is called. */
  watch(onTouched: (pair: string, key: Row | null) => void): () => void;
  readonly parked: () => ReadonlyMap<string, Parked>;
  /** Repairs or gives up parked keys. Throws KEY_NOT_PARKED. */
  settleParked(wish: ParkingWish): Promise<ParkingResult>;
  /** Copies a table or a range of it once more. Throws TABLE_NOT_MAPPED, KEY_INVALID and RECOPY_RUNNING. */
  recopy(wish: RecopyWish): Promise<StoredRecopy>;
  /** Lets the flow stand where this token of a watermark has been applied, and nothing behind it. */
  standAt(token: string, signal: AbortSignal): Promise<Stand>;
  readonly mend: Recopier['mend'];
  readonly throttle: Throttle;
};

/**
 * Keeps the target of one migration equal to its source: binlog -> capture -> decode -> map -> apply, and at first a backfill beside it.
 * Ends when `signal` is aborted; throws what it cannot go on from. All it needs to go on later is in the target database.
 */
export async function runPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { stream, from, to, data, observer, stopPoints, flowClock: clock } = options;
  const connections: Connection[] = [];
  const open = async (database: Database) => {
    const connection = await connect(database);
    connections.push(connection);
    return connection;
  };
  const end = new AbortController();
  const running = AbortSignal.any([signal, end.signal]);
  const applier = new Applier({
    target: to,
    stream,
    stopPoints,
    random: options.random,
    onRetry: (error) => observer.onRetry(error),
    maxParkedKeys: options.maxParkedKeys,
    parentsOf: (pair, values) => parentsOf(pair, values),
    clock: options.clock,
    locksGaps: data.tables.some(({ writers }) => writers === 'both'),
    own: () => own,
    onConflicts: (conflicts) => observer.onConflicts?.(conflicts),
  });
  let own: OwnWrites | undefined;
  let parentsOf: ParentsOf = () => [];
  const chunks = createAnnounced<Chunk>();
  const repairs = createAnnounced<Repair>();
  /** What was applied in the target transaction that is still open. */
  const uncommitted: Committed[] = [];
  const watchers = new Set<(pair: string, key: Row | null) => void>();
  try {
    const [source, marks, target] = [await open(from), await open(from), await open(to)];
    const [sourceLoad, targetLoad] = [await open(from), await open(to)];
    await ensureTables(source, controlSchemaOf(from), SOURCE_TABLES);
    await ensureTables(target, controlSchemaOf(to), TARGET_TABLES);
    const forget = (names: readonly string[]) => forgetProgress(target, to, stream, names);
    const { pairs, fresh } = await pairsOf({ stream, data, from, source, to, target, forget });
    parentsOf = await readParents(target, to.schema, pairs);
    const captured = [
      ...capturedBy(pairs).map((table) => ({
        ...table,
        onAdded: whenAdded(table.table, data, (added) => observer.onAddedColumns?.(added)),
      })),
      watermarkTable(controlSchemaOf(from)),
    ];
    const changes = await originsTold({ ...options, source, captured, pairs }, running);
    own = await ownWritesIn({ ...options, source, open, pairs });
    const stored = await applier.takeOver();
    if (stored) await forget(fresh);
    const start =
      stored?.offset ?? (await firstStart({ ...options, pairs, changes, applier, source, target }));
    const progress = await readProgress(target, to, stream);
    for (const { name: table } of pairs)
      if (!progress.has(table))
        progress.set(table, { table, lastKey: null, copied: 0, total: 0, done: false });
    observer.onProgress(progress);
    observer.onParked(applier.parked);

    const watermarks = createWatermarks({ connection: marks, schema: controlSchemaOf(from), stream, clock });
    const scan = createScanner({
      stream,
      watermarkSchema: controlSchemaOf(from),
      pairs,
      chunkOf: (high) => chunks.of(high),
      repairOf: (high) => repairs.of(high),
      isWatched: () => watchers.size > 0,
      onTouched: (pair, key) => watchers.forEach((watch) => watch(pair, key)),
    });
    observer.onThrottled?.(null);
    const throttle = createThrottle({
      limits: options.throttle ?? NEVER,
      lagMs: options.lagMs ?? (() => null),
      servers: {
        [from.name]: () => readServerLoad(sourceLoad),
        [to.name]: () => readServerLoad(targetLoad),
      },
      now: () => clock.now(),
      onReason: (reason) => observer.onThrottled?.(reason),
    });
    const stands = createStands(({ changes: [change] }) =>
      change === undefined ? undefined : watermarkOf(change, controlSchemaOf(from), stream)?.token,
    );
    const inTurn = createTurns();
    const settleParked = (wish: ParkingWish) =>
      inTurn(() =>
        repairParked(
          {
            stream,
            source,
            pairs,
            watermarks,
            parked: () => applier.parked,
            announce: (repair) => repairs.announce(repair),
          },
          wish,
        ),
      );
    const recopier = createRecopier({
      stream,
      source,
      target,
      pairs,
      chunkRows: data.chunkRows,
      store: recopyStore(target, to, stream),
      watermarks,
      throttle,
      stopPoints,
      announce: (chunk) => chunks.announce(chunk),
      inTurn,
      retryParked: () => settleParked({}),
      clock: options.clock,
      onRecopies: (recopies) => observer.onRecopies?.(recopies),
    });
    const copy = {
      throttle,
      source,
      pairs,
      chunkRows: data.chunkRows,
      progress: new Map(progress),
      stopPoints,
      newToken,
      watermarks,
      announce: (chunk: Chunk) => chunks.announce(chunk),
    };
    const copied = backfill(copy, running);
    const onFound = (found: StrayWrites) => observer.onStrayWrites?.(found);
    const strayWrites = { stream, to, target, pairs, data, copied, recopier, clock: options.clock, onFound };
    Promise.all([
      watermarks.beat(running),
      copied.then(async () => {
        // What was looked up before its table was copied is there now.
        if (fresh.length > 0 && applier.parked.size > 0) await settleParked({});
        return recopier.run(running);
      }),
      lookForStrayWrites(strayWrites, running),
      own?.follow(running),
    ]).catch((error: unknown) => {
      // What fails beside the flow ends the flow; without heartbeats or backfill it would only look alive.
      if (!running.aborted) end.abort(error);
    });
    observer.onFlow({
      pairs: pairs.filter(({ shadow }) => !shadow),
      reach: (given) => watermarks.reach(AbortSignal.any([given, running])),
      watch(onTouched) {
        watchers.add(onTouched);
        return () => watchers.delete(onTouched);
      },
      parked: () => applier.parked,
      settleParked,
      recopy: (wish) => recopier.ask(wish),
      mend: (pair, keys, given) => recopier.mend(pair, keys, AbortSignal.any([given, running])),
      throttle,
      standAt: (token, given) => stands.standAt(token, AbortSignal.any([given, running])),
    });

    let keptSeen: string | undefined;
    let applying: Promise<void> = Promise.resolve();
    for await (const ready of inBatches(changes.stream(start, running), BYTES_A_BATCH, memoryTaken))
      for (const { transactions, stand } of stands.cut(ready)) {
        // The next batch is mapped while the target writes the one before it.
        const scanned = scan(transactions);
        await applying;
        applying = applyAll(transactions, scanned).catch((error: unknown) => {
          // The log is let go of at once, not when it has its next transaction.
          end.abort(error);
          throw error;
        });
        // It is awaited when the next batch has come.
        applying.catch(() => {});
        // What comes in slowly groups itself while the batch before it is written.
        if (transactions.reduce((sum, each) => sum + memoryTaken(each), 0) < BYTES_A_BATCH) await applying;
        if (stand) {
          await applying;
          await stand();
        }
      }
    await applying;
    end.signal.throwIfAborted();

    async function applyAll(
      transactions: readonly SourceTransaction[],
      { writes, seen, ...scanned }: Scanned,
    ): Promise<void> {
      const last = transactions.at(-1);
      if (!last) return;
      const isContinued = last.isContinued ?? false;
      const ended = transactions.filter((transaction) => !transaction.isContinued).length;
      const isNews = own !== undefined && seen?.text !== keptSeen;
      if (isNews) keptSeen = seen?.text;
      const batch = {
        writes,
        seen: isNews ? seen : undefined,
        progress: scanned.progress,
        transactions: ended,
        isContinued,
      };
      await applier.apply({ ...batch, offset: last.next, transactionId: last.id }, running);
      uncommitted.push({ ...scanned, transactions: ended });
      if (isContinued) return;
      // First, for with a key parked a heartbeat no longer says that everything is there.
      observer.onParked(applier.parked);
      for (const part of uncommitted.splice(0)) onCommitted(part, last.next);
    }

    function onCommitted(part: Committed, offset: Offset): void {
      observer.onApplied({ offset, transactions: part.transactions, rows: part.rows });
      const first = part.progress.filter(({ again }) => again === undefined);
      for (const update of first) addToProgress(progress, update);
      if (first.length > 0) observer.onProgress(progress);
      for (const chunk of part.chunks) chunks.applied(chunk);
      for (const repair of part.repairs) repairs.applied(repair);
      for (const watermark of part.watermarks) {
        if (watermark.kind === 'heartbeat')
          observer.onHeartbeat(watermark.at, clock.now(), isBy(clock, watermark));
        watermarks.met(watermark);
      }
    }
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error;
  } finally {
    end.abort(flowEnded(stream));
    chunks.end(end.signal.reason);
    repairs.end(end.signal.reason);
    applier.close();
    // A statement in flight on a connection that is destroyed is never answered, so nothing here waits for what goes on beside.
    for (const connection of connections) connection.destroy();
  }
}
