import type { Row, Verification, VerificationProgress as Shown } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { connect, type Database } from './connect.js';
import { createDoubtfulKeys } from './doubtful-keys.js';
import { driftStore } from './drift-store.js';
import { isParked } from './expected-rows.js';
import { createTurns } from './in-turn.js';
import { parseKey, printKey } from './key-text.js';
import { lookAgain, lookOnce } from './look-again.js';
import type { Flow } from './flow.js';
import { openPoint } from './point-in-time.js';
import { rangeEnds } from './range-ends.js';
import { rawStream } from './raw-stream.js';
import type { StopPoints } from './stop-points.js';
import type { TablePair } from './table-pair.js';
import { verificationProgress } from './verification-progress.js';
import { countCompared, countDifference, driftIn, tablesOf } from './verification-tally.js';
import { endOfRange, type Sides, type VerifyPass, verifyPasses } from './verify-passes.js';

export type VerifyWish = {
  /** Begins anew where an earlier one was broken off, which else goes on. */
  readonly afresh?: boolean;
  /** Sees both sides as they were at one moment, which nothing that is written meanwhile can blur; begins anew. */
  readonly exact?: boolean;
};

export type VerifyOptions = VerifyWish & {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly flow: Flow;
  readonly chunkRows: number;
  readonly clock: () => number;
  readonly stopPoints: StopPoints;
  /** Told how far it is. */
  readonly onProgress?: (progress: Shown) => void;
};

/** Ranges that are read at once, each by a connection to either side: while one waits for the target, or for a server, others go on. */
const LANES = 4;
const CHUNK_BYTES = 2_000_000;
const MOST_ROWS = 20_000;
const KEEP_EVERY_MS = 1_000;

/**
 * Compares every row of the mapped tables with its target through the mapping, while writes go on and without locks: source rows, wait until the target has
 * applied what came before, target rows. What differs is looked at again, up to five times, with the log watched for the key
 * between the two reads: only a difference that the log cannot explain is drift, and is kept in the target. So is how far it is: one that was broken off goes on there.
 */
export async function verify(options: VerifyOptions, signal: AbortSignal): Promise<Verification> {
  const { flow, stream, to, clock } = options;
  const { pairs } = flow;
  const connections: Connection[] = [];
  const open = async (database: Database): Promise<Connection> => {
    const connection = await connect(database, [], { stream: rawStream });
    connections.push(connection);
    return connection;
  };
  const end = new AbortController();
  const running = AbortSignal.any([signal, end.signal]);
  try {
    const openBoth = async (): Promise<Sides> => ({
      source: await open(options.from),
      target: await open(to),
    });
    const [ends, again] = [await openBoth(), await openBoth()];
    const lanes = await Promise.all(Array.from({ length: LANES }, openBoth));
    const store = driftStore(await open(to), to, stream, pairs, clock);
    const unfinished = options.afresh || options.exact ? undefined : await store.unfinished();
    const startedAt = unfinished?.startedAt ?? new Date(clock()).toISOString();
    if (!unfinished) await store.begin(startedAt);
    const progress = verificationProgress(pairs, unfinished?.progress);
    const { place } = progress.kept();
    const total = await rowsThere(ends.source, pairs);
    let looked = progress.kept().tallies.reduce((sum, tally) => sum + (tally[0]?.sourceRows ?? 0), 0);

    const readers = [...lanes, again];
    const point = options.exact
      ? await openPoint(
          {
            ...options,
            source: readers.map(({ source }) => source),
            target: readers.map(({ target }) => target),
          },
          running,
        )
      : undefined;
    const parked = point ? new Map(flow.parked()) : undefined;

    const doubtful = createDoubtfulKeys(
      (pair, keys) =>
        point ? lookOnce({ pair, ...again }, keys) : lookAgain({ pair, flow, ...again }, keys, running),
      async (pair, mark, { key, differences, mapped }) => {
        if (mapped) countCompared(mark.tally, mapped);
        const waits = isParked(pair, key, parked ?? flow.parked());
        for (const difference of differences) countDifference(mark.tally, pair, difference, waits);
        if (differences.length > 0 && !waits) await store.settle(pair, key, differences);
      },
    );
    const lookedAgain = doubtful.run();
    // It is awaited at the end; a failure shows to whoever asks for room before.
    lookedAgain.catch((error: unknown) => end.abort(error));

    const reach = point ? async () => {} : oneAfterTheOther(() => flow.reach(running));
    let keptAt = clock();
    const keep = async () => {
      if (point || clock() - keptAt < KEEP_EVERY_MS) return;
      keptAt = clock();
      await store.keep(progress.kept());
    };

    const goThrough = async (pair: TablePair, pass: VerifyPass, at: { pair: number; pass: number }) => {
      const isHere = at.pair === place.pair && at.pass === place.pass && place.lastKey !== null;
      let after: Row | null = isHere ? parseKey(place.lastKey, pass.names, pass.table) : null;
      let size = Math.min(options.chunkRows, MOST_ROWS);
      let isDone = false;
      const inTurn = createTurns();
      const rangesEnd = rangeEnds(pass.table, pass.isGrouped ? [] : pass.names, (behind, rows) =>
        endOfRange(ends[pass.side], pass, behind, rows),
      );
      const nextRange = () =>
        inTurn(async () => {
          running.throwIfAborted();
          await flow.throttle.pass(running);
          await doubtful.room();
          if (isDone) return undefined;
          const upTo = await rangesEnd.next(after, size);
          const range = { after, upTo };
          [after, isDone] = [upTo, upTo === null];
          const lastKey = upTo && printKey(upTo, pass.names);
          return { range, mark: progress.begin({ ...at, pass: at.pass + (isDone ? 1 : 0), lastKey }) };
        });
      const goOn = async (sides: Sides) => {
        for (let next = await nextRange(); next; next = await nextRange()) {
          const { range, mark } = next;
          const found = await pass.look(sides, range, mark.tally, reach);
          rangesEnd.found(range, found.rows);
          for (const key of found.doubtful) doubtful.add(pair, key, mark);
          mark.read();
          if (pass.side === 'source') looked += found.rows;
          options.onProgress?.({ table: pass.table.name, looked, total, startedAt });
          await keep();
          await options.stopPoints('chunk-verified');
          if (found.rows > 0)
            size = Math.max(1, Math.min(MOST_ROWS, Math.floor((CHUNK_BYTES / found.bytes) * found.rows)));
        }
      };
      await Promise.all(lanes.map(goOn));
    };

    for (const [index, pair] of pairs.entries())
      for (const [number, pass] of verifyPasses(pair).entries())
        if (index > place.pair || (index === place.pair && number >= place.pass))
          await goThrough(pair, pass, { pair: index, pass: number });
    doubtful.end();
    await lookedAgain;
    const { tallies } = progress.kept();
    const finishedAt = new Date(clock()).toISOString();
    await store.keep(progress.kept(), finishedAt);
    const tables = pairs.flatMap((pair, index) => tablesOf(pair, tallies[index] ?? []));
    const driftRows = tallies.reduce((sum, tally) => sum + driftIn(tally), 0);
    return {
      startedAt,
      finishedAt,
      clean: driftRows === 0,
      rowsVerified: tables.reduce((sum, { compared }) => sum + compared, 0),
      driftRows,
      tables,
      ...(point ? { point: point.text } : {}),
    };
  } catch (error) {
    throw end.signal.aborted && !signal.aborted ? end.signal.reason : error;
  } finally {
    end.abort(new Error('ended'));
    for (const connection of connections) connection.destroy();
  }
}

/** Those who call while one runs share the next one: it begins behind what all of them have read. */
function oneAfterTheOther(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () =>
    (next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return (running = work());
      }));
}

/** About how many rows the source has, as the server guesses. */
async function rowsThere(source: Connection, pairs: readonly TablePair[]): Promise<number> {
  let sum = 0;
  for (const { source: table } of pairs) {
    const [rows] = await source.query<RowDataPacket[]>(
      'SELECT TABLE_ROWS total FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [table.database, table.name],
    );
    sum += Number(rows[0]?.['total'] ?? 0);
  }
  return sum;
}
