import { setTimeout as delay } from 'node:timers/promises';
import type { Row } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type Chunk, chunkSize } from './backfill.js';
import { sameKeyText } from './compare-rows.js';
import { recopyRunning, tableMappedTwice, tableNotMapped } from './errors.js';
import { keyOfText, parseKey, printKey } from './key-text.js';
import { readSource, readSourceKeys } from './read-pair.js';
import { readShadow } from './read-shadow.js';
import { type Pass, passesOf } from './recopy-passes.js';
import type { RecopyStore, StoredRecopy } from './recopy-store.js';
import { isBehind, matches, quoted, readRows, tableName } from './sql.js';
import type { StopPoints } from './stop-points.js';
import type { TablePair } from './table-pair.js';
import type { Throttle } from './throttle.js';
import { newToken, type Watermarks } from './watermarks.js';

const REST_MS = 60_000;

export type RecopyOptions = {
  readonly stream: string;
  readonly source: Connection;
  readonly target: Connection;
  readonly pairs: readonly TablePair[];
  readonly chunkRows: number;
  readonly store: RecopyStore;
  readonly watermarks: Pick<Watermarks, 'write'>;
  readonly throttle: Throttle;
  readonly stopPoints: StopPoints;
  /** Announces a chunk before its high watermark is written; resolves when it is applied. */
  readonly announce: (chunk: Chunk) => Promise<void>;
  /** One pair of watermarks at a time. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Tries what is parked once more. */
  readonly retryParked: () => Promise<unknown>;
  readonly clock: () => number;
  readonly onRecopies: (recopies: readonly StoredRecopy[]) => void;
};

/** `from` and `to` are keys as a person writes them, both included; left out: from the first, to the last. */
export type RecopyWish = {
  readonly table: string;
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
};

/** Copies tables or ranges of them once more beside the flow, which goes on meanwhile. */
export type Recopier = {
  /** Throws TABLE_NOT_MAPPED, KEY_INVALID and RECOPY_RUNNING. */
  ask(wish: RecopyWish): Promise<StoredRecopy>;
  /** Copies the source rows of target keys again, and removes those that have none. */
  mend(pair: TablePair, keys: readonly Row[], signal: AbortSignal): Promise<void>;
  /** Does what was asked for, also before a restart, until it is aborted. */
  run(signal: AbortSignal): Promise<never>;
};

export function createRecopier(options: RecopyOptions): Recopier {
  const { source, target, pairs, store, watermarks, clock } = options;
  let wake: () => void = () => {};

  const pairNamed = (name: string) => pairs.find((pair) => pair.name === name);
  /** Of one that a person names, who may know its source table only. */
  const pairMeant = (name: string) => {
    const all = pairs.filter(({ source: { name: read } }) => read === name);
    if (all.length > 1 && !pairNamed(name))
      throw tableMappedTwice(
        name,
        all.map((pair) => pair.name),
      );
    return pairNamed(name) ?? all[0];
  };
  const tell = async () => options.onRecopies(await store.read());

  /** Rows of the range that are behind `last`. */
  function rangeOf(
    { table, names, where }: Pass,
    { from, to }: Pick<StoredRecopy, 'from' | 'to'>,
    last: Row | null,
  ): string {
    const conditions = [where, isBehind(last, names, table)];
    if (from !== null && last === null) {
      const first = parseKey(from, names, table);
      conditions.push(`((${isBehind(first, names, table)}) OR ${matches(first, table)})`);
    }
    if (to !== null) conditions.push(`NOT (${isBehind(parseKey(to, names, table), names, table)})`);
    return conditions.join(' AND ');
  }

  const countIn = async (pass: Pass, range: Pick<StoredRecopy, 'from' | 'to'>): Promise<number> => {
    const [rows] = await pass.connection.query<RowDataPacket[]>(
      `SELECT COUNT(*) total FROM ${tableName(pass.table)} WHERE ${rangeOf(pass, range, null)}`,
    );
    return Number(rows[0]?.['total']);
  };

  /** Sends what `read` finds through the applier, at the place of a high watermark; again, when the log touched too much meanwhile. */
  async function send<Found extends Pick<Chunk, 'pair' | 'rows' | 'gone' | 'progress'>>(
    signal: AbortSignal,
    read: () => Promise<Found>,
  ): Promise<Found> {
    for (;;) {
      await options.throttle.pass(signal);
      const done = await options.inTurn(async () => {
        signal.throwIfAborted();
        const [low, high] = [newToken(), newToken()];
        await watermarks.write('low', low);
        await options.stopPoints('after-low-watermark');
        const found = await read();
        await options.stopPoints('chunk-read');
        const chunk: Chunk = { ...found, low, high };
        const applied = options.announce(chunk);
        // It may fail while the watermark is still being written.
        applied.catch(() => {});
        await watermarks.write('high', high);
        await applied;
        return chunk.isStale ? undefined : found;
      });
      if (done) return done;
    }
  }

  function withoutSource(pair: TablePair, keys: readonly Row[], there: readonly Row[]): readonly Row[] {
    const texts = new Set(there.map((key) => sameKeyText(pair, key)));
    return keys.filter((key) => !texts.has(sameKeyText(pair, key)));
  }

  async function runPass(
    recopy: StoredRecopy,
    pair: TablePair,
    passes: readonly Pass[],
    number: number,
    start: Row | null,
    signal: AbortSignal,
  ): Promise<void> {
    const pass = passes[number] as Pass;
    const { table, connection, names, isSource } = pass;
    const order = names.map((name) => quoted(name)).join(', ');
    const isChild = !isSource && table !== pair.target;
    // What gets a key behind the last one from here on is in the log.
    let { to } = recopy;
    if (to === null) {
      const [end] = await readRows(
        connection,
        table,
        names,
        `WHERE ${pass.where} ORDER BY ${names.map((name) => `${quoted(name)} DESC`).join(', ')} LIMIT 1`,
      );
      to = end ? printKey(end, names) : null;
    }
    let last = start;
    let size = chunkSize(options.chunkRows);
    for (;;) {
      const { read, isLast } = await send(signal, async () => {
        const found = await readRows(
          connection,
          table,
          isSource ? [...new Set([...names, ...pair.map.reads])] : names,
          `WHERE ${rangeOf(pass, { from: recopy.from, to }, last)} ${isChild ? `GROUP BY ${order}` : ''} ORDER BY ${order} LIMIT ${size}`,
        );
        const isEnd = found.length < size;
        const reached = found.at(-1) ?? last;
        const progress = {
          table: pair.name,
          lastKey: isEnd || reached === null ? null : printKey(reached, names),
          copied: isChild ? 0 : found.length,
          done: false,
          again: { pass: isEnd ? number + 1 : number, removed: 0 },
        };
        if (isSource) return { pair, rows: found, progress, read: found, isLast: isEnd };
        const keys = found.map(pass.keyOf);
        const there = keys.length === 0 ? [] : await readSourceKeys(source, pair, keys);
        return {
          pair,
          rows: [],
          gone: withoutSource(pair, keys, there),
          progress,
          read: found,
          isLast: isEnd,
        };
      });
      last = read.at(-1) ?? last;
      size = chunkSize(options.chunkRows, read);
      await tell();
      if (isLast) return;
    }
  }

  async function copyAgain(recopy: StoredRecopy, pair: TablePair, signal: AbortSignal): Promise<void> {
    const passes = passesOf(pair, source, target);
    for (let number = recopy.pass; number < passes.length; number++) {
      const { names, table } = passes[number] as Pass;
      const start =
        number === recopy.pass && recopy.lastKey !== null ? parseKey(recopy.lastKey, names, table) : null;
      await runPass(recopy, pair, passes, number, start, signal);
    }
    // A row may have been refused because of a value that a later row of the copy has given back.
    await options.retryParked();
    await store.finish(pair.name, new Date(clock()).toISOString());
    await tell();
  }

  return {
    async ask({ table: named, from, to, dryRun }) {
      const pair = pairMeant(named);
      if (!pair) throw tableNotMapped(options.stream, named);
      const table = pair.name;
      const range = {
        from: from === undefined ? null : keyOfText(from, pair.source),
        to: to === undefined ? null : keyOfText(to, pair.source),
      };
      return options.inTurn(async () => {
        const known = await store.read();
        if (known.some((each) => each.table === table && each.finishedAt === null))
          throw recopyRunning(table);
        let total = 0;
        for (const pass of passesOf(pair, source, target))
          if (pass.isSource || pass.table === pair.target) total += await countIn(pass, range);
        const recopy: StoredRecopy = {
          table,
          ...range,
          pass: 0,
          lastKey: null,
          looked: 0,
          removed: 0,
          total,
          requestedAt: new Date(clock()).toISOString(),
          finishedAt: null,
        };
        if (dryRun) return recopy;
        await store.add(recopy);
        await tell();
        wake();
        return recopy;
      });
    },
    async mend(pair, keys, signal) {
      if (keys.length === 0) return;
      // First what the rows are put together from.
      for (const part of pair.assembly?.shadows ?? [])
        await send(signal, async () => {
          const { rows, held } = await readShadow(source, target, pair, part, keys);
          return { pair: part, rows, gone: withoutSource(part, held, rows.map(part.map.keyOf)) };
        });
      await send(signal, async () => {
        const rows = await readSource(source, pair, keys);
        return { pair, rows, gone: withoutSource(pair, keys, rows.map(pair.map.keyOf)) };
      });
    },
    async run(signal) {
      for (;;) {
        const asked = new Promise<void>((done) => (wake = done));
        await tell();
        for (const recopy of await store.read()) {
          const pair = recopy.finishedAt === null ? pairNamed(recopy.table) : undefined;
          if (pair) await copyAgain(recopy, pair, signal);
        }
        await rest(asked, signal);
        // An idle connection is closed by the server one day; then the flow begins anew, and not with the next wish.
        await source.query('SELECT 1');
      }
    },
  };
}

async function rest(asked: Promise<void>, signal: AbortSignal): Promise<void> {
  const end = new AbortController();
  try {
    const late = delay(REST_MS, undefined, { signal: AbortSignal.any([signal, end.signal]) });
    await Promise.race([asked, late]);
  } finally {
    end.abort();
  }
}
