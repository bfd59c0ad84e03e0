import type { MigrationData, Row } from '@strangler/contracts';
import { pino } from 'pino';
import { isUpTo, positionOf } from '../binlog-offset.js';
import { flowClock } from '../flow-clock.js';
import { logEnd } from '../log-end.js';
import { MigrationSync, type MigrationSyncOptions } from '../migration-sync.js';
import { literal, quoted, readRows } from '../sql.js';
import { noStopPoints } from '../stop-points.js';
import type { Table } from '../table.js';
import { type ScratchDatabase, until } from './databases.js';

type Ends = {
  readonly name: string;
  readonly from: ScratchDatabase;
  readonly to: ScratchDatabase;
  readonly data: MigrationData;
};

/** A stream between two databases of a test. */
export const syncBetween = (ends: Ends, options: Partial<MigrationSyncOptions> = {}): MigrationSync =>
  new MigrationSync({
    ...ends,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    flowClock: flowClock(),
    onAppliedUntil: () => {},
    random: Math.random,
    stopPoints: noStopPoints,
    ...options,
  });

/** Waits until the stream has copied all, and has applied what was written to its source before the call. */
export async function caughtUp(sync: MigrationSync, from: ScratchDatabase): Promise<void> {
  const end = await logEnd(from.root);
  await until(() => {
    const { offset, state, problem } = sync.evidence(Date.now());
    if (state === 'stopped') throw new Error(`stopped: ${problem}`);
    return state === 'tailing' && offset !== null && isUpTo(end, positionOf({ text: offset }));
  }, 'the offset of now');
}

/** Creates a table as a test has declared it. */
export async function createTable(database: ScratchDatabase, table: Table): Promise<Table> {
  const columns = table.columns.map(
    ({ name, type }) => `${quoted(name)} ${type}${table.primaryKey.includes(name) ? ' NOT NULL' : ' NULL'}`,
  );
  const key = table.primaryKey.map((name) => quoted(name)).join(', ');
  await database.root.query(
    `CREATE TABLE ${quoted(table.name)} (${columns.join(', ')}, PRIMARY KEY (${key}))`,
  );
  return { ...table, database: database.schema };
}

export async function insertAll(
  database: ScratchDatabase,
  table: Table,
  rows: readonly Row[],
): Promise<void> {
  for (const row of rows) {
    const set = Object.entries(row).map(
      ([name, value]) => `${quoted(name)} = ${literal(value, table, name)}`,
    );
    await database.root.query(`INSERT INTO ${quoted(table.name)} SET ${set.join(', ')}`);
  }
}

/** All rows of a table, in the order of its key, as the server prints them. */
export const rowsIn = (database: ScratchDatabase, table: Table): Promise<Row[]> =>
  readRows(
    database.root,
    { ...table, database: database.schema },
    table.columns.map(({ name }) => name),
    `ORDER BY ${table.primaryKey.map((name) => quoted(name)).join(', ')}`,
  );
