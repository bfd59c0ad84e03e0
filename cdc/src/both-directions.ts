import type { Connection } from 'mysql2/promise';
import { answersTable } from './answers.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { controlSchemaOf, type Database } from './connect.js';
import { ensureTables, TARGET_TABLES } from './control-tables.js';
import { testEcho } from './echo-self-test.js';
import type { FlowClock } from './flow-clock.js';
import { TRIPWIRE, type TripwireLimits, withTripwire } from './loop-tripwire.js';
import { OFFSET_TABLE } from './stray-writes.js';
import type { TablePair } from './table-pair.js';
import { withoutEchoes } from './without-echoes.js';

export type BothDirections = {
  /** The stream that writes into the source of this one; left out: none does. */
  readonly echoesOf?: string;
  readonly from: Database;
  readonly source: Connection;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  readonly captured: readonly CapturedTable[];
  readonly pairs: readonly TablePair[];
  readonly flowClock: FlowClock;
  readonly tripwire?: TripwireLimits;
};

/**
 * The source of a stream, and where another one writes into its database, without what that one has written. That the log tells it is tried before anything is read, so at
 * each start, reconnect and failover. Throws ECHO_UNTOLD.
 */
export async function originsTold(options: BothDirections, signal: AbortSignal): Promise<ChangeSource> {
  const { echoesOf: stream, from, source, sourceOf, captured, pairs, flowClock } = options;
  if (stream === undefined) return sourceOf(captured);
  const schema = controlSchemaOf(from);
  await ensureTables(source, schema, TARGET_TABLES);
  await testEcho({ stream, target: from, sourceOf }, signal);
  const marks = { database: schema, table: OFFSET_TABLE, columns: ['stream', 'log_offset'] };
  const all = [...captured, marks, answersTable(schema)];
  const changes = withoutEchoes(sourceOf(all), { schema, stream });
  return withTripwire(changes, { ...TRIPWIRE, ...options.tripwire, pairs, now: () => flowClock.now() });
}
