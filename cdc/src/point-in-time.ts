import { setTimeout as delay } from 'node:timers/promises';
import type { Offset } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { pointRefused } from './errors.js';
import type { Flow } from './flow.js';
import { quoted, tableName } from './sql.js';
import { watermarkTable, writeWatermark } from './watermark.js';
import { newToken } from './watermarks.js';

export type PointOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly flow: Pick<Flow, 'pairs' | 'standAt'>;
  readonly clock: () => number;
  /** Connections that see their side as it was at the point from then on, until they are closed. */
  readonly source: readonly Connection[];
  readonly target: readonly Connection[];
};

/** Writers wait for nobody longer than this, and neither do those behind them in the queue for a table. */
const LOCK_WAIT_S = 2;
const TRIES = 10;
const REST_MS = 1_000;
const APPLY_DEADLINE_MS = 60_000;
const LOCK_WAIT_TIMEOUT = 1205;

/**
 * Lets connections to both sides see them as they were at one place of the source's log, as VDiff of Vitess does: the source's tables are locked for the moment in which its snapshots
 * are taken and a watermark is written; the flow stands behind that watermark while those of the target are. Needs LOCK TABLES on the source. Throws POINT_REFUSED.
 */
export async function openPoint(options: PointOptions, signal: AbortSignal): Promise<Offset> {
  const { stream, from, flow, clock } = options;
  const schema = controlSchemaOf(from);
  const marks = watermarkTable(schema);
  const tables = flow.pairs.flatMap(({ source, assembly }) => [
    source,
    ...(assembly?.shadows ?? []).map((shadow) => shadow.source),
  ]);
  const locks = [
    ...[...new Set(tables.map(tableName))].map((name) => `${name} READ`),
    `${quoted(marks.database, marks.table)} WRITE`,
  ];
  const locker = await connect(from, [`lock_wait_timeout = ${LOCK_WAIT_S}`]);
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      await lock(locker, stream, locks, signal);
      const [token, late] = [newToken(), AbortSignal.timeout(APPLY_DEADLINE_MS)];
      const standing = flow.standAt(token, AbortSignal.any([signal, late]));
      // It is awaited when the tables are free again.
      standing.catch(() => {});
      await Promise.all(options.source.map(takeSnapshot));
      await writeWatermark(locker, schema, stream, { kind: 'verify', token, at: clock() });
      await locker.query('UNLOCK TABLES');
      const stand = await standing.catch((error: unknown) => {
        throw late.aborted
          ? pointRefused(stream, `it was not applied within ${APPLY_DEADLINE_MS / 1000} s`)
          : error;
      });
      let hasStood = false;
      try {
        await Promise.all(options.target.map(takeSnapshot));
      } finally {
        hasStood = stand.goOn();
      }
      if (hasStood) return stand.offset;
    }
    throw pointRefused(stream, 'the flow did not stand for as long as it takes');
  } finally {
    locker.destroy();
  }
}

async function takeSnapshot(connection: Connection): Promise<void> {
  await connection.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}

/** Waits for transactions that have written the tables, in short turns: who comes behind them waits for us. */
async function lock(
  locker: Connection,
  stream: string,
  locks: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      await locker.query(`LOCK TABLES ${locks.join(', ')}`);
      return;
    } catch (error) {
      const { errno, message } = error as { readonly errno?: number; readonly message: string };
      if (errno !== LOCK_WAIT_TIMEOUT || attempt === TRIES) throw pointRefused(stream, message, error);
      await delay(REST_MS, undefined, { signal });
    }
  }
}
