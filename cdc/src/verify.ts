import { setTimeout as delay } from 'node:timers/promises';
import type { Row, TableVerification, Verification } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { countRows } from './backfill.js';
import { compareRow, type Difference, targetKeyText } from './compare-rows.js';
import { connect, type Database } from './connect.js';
import { expectedRows, isParked } from './expected-rows.js';
import { keyText, type MappedRow } from './map.js';
import { ownRows } from './own-rows.js';
import type { Flow } from './pipeline.js';
import { parentKey, readSource, readSourceKeys, readsOf, readTarget } from './read-pair.js';
import { isBehind, quoted, readRows } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

export type VerifyOptions = {
  readonly from: Database;
  readonly to: Database;
  readonly flow: Flow;
  readonly chunkRows: number;
  readonly clock: () => number;
};

const SAMPLES = 10;
/** A key counts as drifted after this many looks at a moment when the log did not touch it. */
const TRIES = 5;
/** Looks at keys that are written without a pause; then they are left out of what is compared. */
const HOT_TRIES = 40;

type Tally = {
  sourceRows: number;
  targetRows: number;
  compared: number;
  parked: number;
  drift: Map<string, Difference>;
};

/**
 * Compares every row of the mapped tables with its target through the mapping, while writes go on and without locks: source chunk, wait until the target has
 * applied what came before, target rows. What differs is looked at again, up to five times, with the log watched for the key
 * between the two reads: only a difference that the log cannot explain is drift. Rows of the target are then read the other way round, to find those
 * without a source.
 */
export async function verify(options: VerifyOptions, signal: AbortSignal): Promise<Verification> {
  const startedAt = new Date(options.clock()).toISOString();
  const [source, target] = [await connect(options.from), await connect(options.to)];
  try {
    const tables: TableVerification[] = [];
    for (const pair of options.flow.pairs)
      tables.push(...(await verifyPair({ ...options, pair, source, target }, signal)));
    const driftRows = tables.reduce(
      (sum, { different, missing, extra }) => sum + different + missing + extra,
      0,
    );
    return {
      startedAt,
      finishedAt: new Date(options.clock()).toISOString(),
      clean: driftRows === 0,
      rowsVerified: tables.reduce((sum, { compared }) => sum + compared, 0),
      driftRows,
      tables,
    };
  } finally {
    source.destroy();
    target.destroy();
  }
}

type PairContext = VerifyOptions & {
  readonly pair: TablePair;
  readonly source: Connection;
  readonly target: Connection;
};

async function verifyPair(context: PairContext, signal: AbortSignal): Promise<readonly TableVerification[]> {
  const { pair, source, target, flow } = context;
  const tallies = new Map(
    [pair.target, ...pair.children].map((table) => [
      table.name,
      { sourceRows: 0, targetRows: 0, compared: 0, parked: 0, drift: new Map<string, Difference>() },
    ]),
  );
  const tally = (table: Table) => tallies.get(table.name) as Tally;
  for (const table of [pair.target, ...pair.children]) {
    tally(table).sourceRows = await countRows(source, pair.source);
    tally(table).targetRows = await countRows(target, table, table === pair.target ? ownRows(pair) : 'TRUE');
  }
  const doubtful = new Map<string, Row>();
  let outside = 0;

  for await (const rows of chunks(
    source,
    pair.source,
    pair.source.primaryKey,
    readsOf(pair),
    context.chunkRows,
  )) {
    signal.throwIfAborted();
    const expected = await expectedRows(source, pair, rows);
    await flow.reach(signal);
    const taken = rows.filter(pair.map.takes);
    outside += rows.length - taken.length;
    if (taken.length === 0) continue;
    const found = await readTarget(target, pair, taken.map(pair.map.keyOf));
    for (const row of taken) {
      const [key, mapped] = [pair.map.keyOf(row), expected(row)];
      if (!mapped || compareRow(pair, mapped, found(key)).length > 0) doubtful.set(keyText(key), key);
      else count(mapped);
    }
  }
  // Keys of the target and of its children that no source row has.
  const keyNames = pair.map.keyNames;
  for (const [index, table] of [pair.target, ...pair.children].entries()) {
    const names = index === 0 ? keyNames : Object.keys(pair.map.mapping.split[index - 1]?.key ?? {});
    for await (const rows of chunks(
      target,
      table,
      names,
      names,
      context.chunkRows,
      index > 0,
      index === 0 ? ownRows(pair) : 'TRUE',
    )) {
      signal.throwIfAborted();
      const keys = rows.map((row) => (index === 0 ? row : parentKey(pair, index - 1, row)));
      const there = new Set(
        (await readSourceKeys(source, pair, keys)).map((key) => targetKeyText(pair, key)),
      );
      for (const key of keys) if (!there.has(targetKeyText(pair, key))) doubtful.set(keyText(key), key);
    }
  }

  const keys = [...doubtful.values()];
  for (let start = 0; start < keys.length; start += context.chunkRows)
    for (const { key, differences, mapped } of await lookAgain(
      context,
      keys.slice(start, start + context.chunkRows),
      signal,
    )) {
      if (mapped) count(mapped);
      for (const difference of differences)
        if (isParked(pair, key, flow.parked())) (tallies.get(difference.table) as Tally).parked++;
        else
          (tallies.get(difference.table) as Tally).drift.set(
            `${difference.kind}:${difference.key}`,
            difference,
          );
    }
  return [pair.target, ...pair.children].map((table): TableVerification => {
    const { drift, ...counts } = tally(table);
    const all = [...drift.values()];
    const of = (kind: Difference['kind']) => all.filter((difference) => difference.kind === kind).length;
    return {
      from: pair.source.name,
      to: table.name,
      ...counts,
      sourceRows: counts.sourceRows - outside,
      different: of('different'),
      missing: of('missing'),
      extra: of('extra'),
      samples: all.slice(0, SAMPLES).map(({ key, difference }) => ({ key, difference })),
    };
  });

  function count(row: MappedRow): void {
    tally(pair.target).compared++;
    for (const [index, child] of pair.children.entries())
      tally(child).compared += row.children[index]?.rows.length ?? 0;
  }
}

type Verdict = {
  readonly key: Row;
  readonly differences: readonly Difference[];
  readonly mapped?: MappedRow;
};

/** Looks at the keys until each is equal, or has differed five times while the log left it alone. */
async function lookAgain(
  context: PairContext,
  keys: readonly Row[],
  signal: AbortSignal,
): Promise<readonly Verdict[]> {
  const { pair, flow } = context;
  const verdicts: Verdict[] = [];
  let open = keys.map((key) => ({
    key,
    text: targetKeyText(pair, key),
    quiet: 0,
    verdict: { key, differences: [] } as Verdict,
  }));
  for (let attempt = 0; open.length > 0 && attempt < HOT_TRIES; attempt++) {
    const touched = new Set<string>();
    const watched = new Set(open.map(({ text }) => text));
    const unwatch = flow.watch((table, key) => {
      if (table !== pair.name) return;
      const text = key && targetKeyText(pair, key);
      if (text === null) watched.forEach((each) => touched.add(each));
      else if (watched.has(text)) touched.add(text);
    });
    try {
      await flow.reach(signal);
      const sources = await readSource(
        context.source,
        pair,
        open.map(({ key }) => key),
      );
      const expected = await expectedRows(context.source, pair, sources);
      const rows = new Map(sources.map((row) => [targetKeyText(pair, pair.map.keyOf(row)), row]));
      await flow.reach(signal);
      const found = await readTarget(
        context.target,
        pair,
        open.map(({ key }) => key),
      );
      await flow.reach(signal);
      for (const item of open) {
        const row = rows.get(item.text);
        const mapped = row && expected(row);
        const differences = compareRow(pair, mapped, found(item.key));
        // What the log wrote between the two reads explains any difference; such a look says nothing.
        if (differences.length > 0 && touched.has(item.text)) continue;
        item.quiet = differences.length === 0 ? TRIES : item.quiet + 1;
        item.verdict = { key: item.key, differences, ...(mapped ? { mapped } : {}) };
      }
    } finally {
      unwatch();
    }
    verdicts.push(...open.filter(({ quiet }) => quiet >= TRIES).map(({ verdict }) => verdict));
    open = open.filter(({ quiet }) => quiet < TRIES);
    // An event can be in the log a moment before another connection sees its row.
    if (open.length > 0) await delay(20 * Math.min(attempt + 1, 10), undefined, { signal });
  }
  // A key that was never left alone for long enough is neither drift nor compared; one that differed in every quiet look is drift.
  return [...verdicts, ...open.filter(({ quiet }) => quiet > 0).map(({ verdict }) => verdict)];
}

async function* chunks(
  connection: Connection,
  table: Table,
  order: readonly string[],
  names: readonly string[],
  size: number,
  isDistinct = false,
  where = 'TRUE',
): AsyncGenerator<Row[]> {
  let last: Row | null = null;
  for (;;) {
    const group = isDistinct ? `GROUP BY ${order.map((name) => quoted(name)).join(', ')}` : '';
    const rows: Row[] = await readRows(
      connection,
      table,
      [...new Set([...order, ...names])],
      `WHERE ${where} AND ${isBehind(last, order, table)} ${group} ORDER BY ${order.map((name) => quoted(name)).join(', ')} LIMIT ${size}`,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < size) return;
    last = rows.at(-1) ?? null;
  }
}
