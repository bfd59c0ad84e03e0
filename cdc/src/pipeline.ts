import type { Row, StrayWrites, ThrottleLimits } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { whenAdded } from './added-columns.js';
import { createAnnounced } from './announced.js';
import { Applier } from './apply.js';
import { originsTold } from './both-directions.js';
import { ownWritesIn } from './both-writers.js';
import { backfill, type Chunk } from './backfill.js';
import { capturedBy } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { flowEnded, notHandedOver } from './errors.js';
import { readParents } from './foreign-keys.js';
import { firstStart } from './first-start.js';
import { follow } from './follow.js';
import { createTurns } from './in-turn.js';
import type { OwnWrites } from './own-writes.js';
import type { ParentsOf } from './parking-lot.js';
import type { PipelineOptions } from './pipeline-options.js';
import { forgetProgress, readProgress } from './progress.js';
import { createRecopier } from './recopy.js';
import { recopyStore } from './recopy-store.js';
import { type ParkingWish, type Repair, repairParked } from './repair.js';
import { createScanner } from './scan.js';
import { readServerLoad } from './server-load.js';
import { createStands } from './stands.js';
import { pairsOf } from './pairs-of.js';
import { lookForStrayWrites } from './stray-log.js';
import { createThrottle } from './throttle.js';
import { watermarkOf, watermarkTable } from './watermark.js';
import { createWatermarks, newToken } from './watermarks.js';

const NEVER: ThrottleLimits = { maxLagMs: 0, maxThreadsRunning: 0, maxRowLockWaits: 0, maxHistoryLength: 0 };

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
    if (!stored && options.isHandedOver) throw notHandedOver(stream);
    await stopPoints('stream-owned');
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
      reach: (given, deadlineMs) => watermarks.reach(AbortSignal.any([given, running]), deadlineMs),
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

    await follow(
      {
        changes,
        start,
        applier,
        scan,
        stands,
        keepsSeen: own !== undefined,
        progress,
        chunks,
        repairs,
        watermarks,
        clock,
        observer,
        end,
      },
      running,
    );
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
