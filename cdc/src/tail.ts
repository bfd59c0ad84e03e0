import type { Row, TailCompared } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { targetKeyText } from './compare-rows.js';
import { connect, type Database } from './connect.js';
import { driftStore } from './drift-store.js';
import { tailLate } from './errors.js';
import { isParked } from './expected-rows.js';
import type { Flow } from './flow.js';
import { lookOnce, type Verdict } from './look-again.js';
import { ownRows } from './own-rows.js';
import { parentKey, readsOf } from './read-pair.js';
import { quoted, readRows, tableName } from './sql.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';
import { countCompared, countDifference, newTally, type Tally } from './verification-tally.js';

/** Tables of more rows are not counted: that reads an index from its beginning to its end. */
const MOST_COUNTED = 100_000;
const KEYS_A_LOOK = 1_000;

export type TailOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly flow: Flow;
  /** Newest rows of each table, by its key, of either side. */
  readonly rows: number;
  readonly deadlineMs: number;
  readonly clock: () => number;
};

/**
 * Compares what may differ while nobody writes: the newest rows of either side through the mapping, what verifications have kept as drift, and how many rows there are. What differs
 * is looked at once more, behind a watermark. Parked keys are counted and not compared. Throws TAIL_LATE behind the deadline.
 */
export async function compareTail(options: TailOptions, signal: AbortSignal): Promise<TailCompared> {
  const { stream, from, to, deadlineMs } = options;
  const late = AbortSignal.timeout(deadlineMs);
  const running = AbortSignal.any([signal, late]);
  const connections = await Promise.all([connect(from), connect(to), connect(to)]);
  const [source, target, keeper] = connections;
  // A statement in flight on a connection that is destroyed is never answered.
  const end = () => connections.forEach((connection) => connection.destroy());
  const given = new Promise<never>((_done, fail) =>
    running.addEventListener(
      'abort',
      () => fail(late.aborted ? tailLate(stream, deadlineMs) : (running.reason as Error)),
      { once: true },
    ),
  );
  given.catch(() => {});
  try {
    const work = compareAll({ ...options, source, target, keeper }, running);
    work.catch(() => {});
    return await Promise.race([work, given]);
  } finally {
    end();
  }
}

type Sides = { readonly source: Connection; readonly target: Connection };

async function compareAll(
  options: TailOptions & Sides & { readonly keeper: Connection },
  signal: AbortSignal,
): Promise<TailCompared> {
  const { stream, to, flow, rows, source, target, keeper } = options;
  const store = driftStore(keeper, to, stream, flow.pairs, options.clock);
  const kept = await store.read(rows);
  const tables: TailCompared['tables'][number][] = [];
  for (const pair of flow.pairs) {
    const keys = new Map<string, Row>();
    const drifted = kept.filter((each) => each.pair === pair).map(({ rowKey }) => rowKey);
    for (const key of [...drifted, ...(await newestKeys(options, pair, rows))])
      keys.set(targetKeyText(pair, key), key);
    const tally = newTally(pair);
    const look = async (some: readonly Row[]) => {
      const verdicts: Verdict[] = [];
      for (let first = 0; first < some.length; first += KEYS_A_LOOK)
        verdicts.push(...(await lookOnce({ pair, source, target }, some.slice(first, first + KEYS_A_LOOK))));
      return verdicts;
    };
    const first = await look([...keys.values()]);
    const doubtful = first.filter(
      ({ key, differences }) => differences.length > 0 && !isParked(pair, key, flow.parked()),
    );
    // A transaction can be in the log a moment before another connection sees its rows.
    if (doubtful.length > 0) await flow.reach(signal);
    const again = await look(doubtful.map(({ key }) => key));
    for (const { mapped, differences } of first)
      if (mapped && differences.length === 0) countCompared(tally, mapped);
    for (const { mapped, differences } of again) {
      if (mapped) countCompared(tally, mapped);
      for (const difference of differences) countDifference(tally, pair, difference, false);
    }
    const equal = new Set(
      [...first, ...again].filter((each) => each.differences.length === 0).map(({ key }) => key),
    );
    for (const key of drifted) if (equal.has(key)) await store.settle(pair, key, []);
    tables.push(...shown(pair, tally, await countApart(options, pair, flow.parked().size)));
  }
  return { tables, parked: flow.parked().size };
}

function shown(pair: TablePair, tally: Tally, apart: string | undefined): TailCompared['tables'] {
  return [pair.target, ...pair.children].map(({ name }, index) => {
    const { compared = 0, different = 0, missing = 0, extra = 0, samples = [] } = tally[index] ?? {};
    const differs = different + missing + extra;
    const isCount = index === 0 && apart !== undefined && differs === 0;
    return {
      table: name,
      compared,
      different: isCount ? 1 : differs,
      samples: isCount ? [apart] : samples.map(({ key, difference }) => `row "${key}": ${difference}`),
    };
  });
}

/** Target keys of the newest rows of the source, of the target, and of its children. */
async function newestKeys({ source, target }: Sides, pair: TablePair, rows: number): Promise<readonly Row[]> {
  const newest = (table: Table) =>
    `ORDER BY ${table.primaryKey.map((name) => `${quoted(name)} DESC`).join(', ')} LIMIT ${rows}`;
  const { keyNames } = pair.map;
  const [given, there, ...children] = await Promise.all([
    readRows(
      source,
      pair.source,
      [...new Set([...pair.source.primaryKey, ...readsOf(pair)])],
      newest(pair.source),
    ),
    readRows(target, pair.target, keyNames, `WHERE ${ownRows(pair)} ${newest(pair.target)}`),
    ...pair.children.map((child, index) =>
      readRows(
        target,
        child,
        Object.keys(pair.map.mapping.split[index]?.key ?? {}),
        `WHERE TRUE ${newest(child)}`,
      ),
    ),
  ]);
  return [
    ...(given ?? []).filter(pair.map.takes).map(pair.map.keyOf),
    ...(there ?? []),
    ...children.flatMap((found, index) => found.map((row) => parentKey(pair, index, row))),
  ];
}

/** A sentence when both sides of a small table do not have equally many rows; undefined when they do, or when a row of one is not one of the other. */
async function countApart(
  { source, target }: Sides,
  pair: TablePair,
  parked: number,
): Promise<string | undefined> {
  if (parked > 0 || hasCondition(pair)) return undefined;
  const [there, here] = await Promise.all([
    countRows(source, pair.source, 'TRUE'),
    countRows(target, pair.target, ownRows(pair)),
  ]);
  if (there > MOST_COUNTED || here > MOST_COUNTED || there === here) return undefined;
  return `table "${pair.target.name}": ${there} rows expected, ${here} found`;
}

/** Whether there are rows of the source that are none of the mapping's. */
const hasCondition = ({ map, source }: TablePair): boolean =>
  map.mapping.where !== undefined ||
  ('absent' in map.mapping && map.mapping.absent !== undefined) ||
  !map.takes(Object.fromEntries(source.columns.map(({ name }) => [name, null])));

async function countRows(connection: Connection, table: Table, where: string): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT COUNT(*) total FROM (SELECT 1 FROM ${tableName(table)} WHERE ${where} LIMIT ${MOST_COUNTED + 1}) counted`,
  );
  return Number(rows[0]?.['total']);
}
