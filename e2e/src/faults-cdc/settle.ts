import type { Connection } from 'mysql2/promise';
import { until } from '../until.js';
import { rowsOf, type Stand, withConnection } from './stand.js';
import type { SyncProcess } from './sync-process.js';
import { FIRST_POISONED } from './tables.js';

const POISON = "state = 'X' OR name = 'poison'";

/** Nothing that was poisoned came through, and nothing else waits. Answers what is parked and should not be, or the other way round. */
async function checkParked(
  source: Connection,
  target: Connection,
  control: string,
): Promise<readonly string[]> {
  const parked = (
    await rowsOf(target, `SELECT table_name, row_key FROM ${control}.parked WHERE ordinal = 0`)
  ).map((row) => ({
    table: String(row['table_name']),
    id: Number((JSON.parse(String(row['row_key'])) as Record<string, unknown>)['holder_id']),
  }));
  const poisoned = await rowsOf(source, `SELECT id FROM account WHERE ${POISON}`);
  return [
    ...parked
      .filter(({ table, id }) => table !== 'holder' || !(id >= FIRST_POISONED))
      .map(({ table, id }) => `${table} ${id} is parked and nothing is wrong with it`),
    ...poisoned
      .filter(({ id }) => !parked.some((each) => each.id === Number(id)))
      .map(({ id }) => `account ${String(id)} is poisoned and not parked`),
  ];
}

/** Waits until every table is copied for the first time. */
export async function copied({ targetUrl, control, quietMs }: Stand): Promise<void> {
  await withConnection(targetUrl, (target) =>
    until(
      'the first copy does not come to an end',
      quietMs,
      async () => {
        const sql = `SELECT COUNT(*) done FROM ${control}.backfill_progress WHERE done = 1`;
        const rows = await rowsOf(target, sql).catch(() => []);
        return Number(rows[0]?.['done']) === 3;
      },
      30,
    ),
  );
}

/** Waits until a pair of rows that is written now has come through, and every table is copied. */
async function reach(source: Connection, target: Connection, stand: Stand, sync: SyncProcess): Promise<void> {
  const mark = String(Date.now());
  await source.query(
    `INSERT INTO entry (account_id, writer, serial, pad) VALUES (0, 99, 0, '${mark}'), (0, 99, 0, '${mark}')`,
  );
  await untilOrStopped('what was written last is not in the target', stand, sync, async () => {
    const [row] = await rowsOf(
      target,
      `SELECT (SELECT COUNT(*) FROM posting WHERE writer = 99 AND pad = '${mark}') there, (SELECT COUNT(*) FROM ${stand.control}.backfill_progress WHERE done = 1) done`,
    );
    return Number(row?.['there']) === 2 && Number(row?.['done']) === 3;
  });
}

async function untilOrStopped(
  what: string,
  { quietMs }: Stand,
  sync: SyncProcess,
  ask: () => Promise<boolean>,
): Promise<void> {
  let looks = 0;
  await until(
    what,
    quietMs,
    async () => {
      // A flow that has stopped does not go on, however long one waits.
      const evidence = looks++ % 10 === 9 ? await sync.evidence() : undefined;
      if (evidence?.state === 'stopped') throw new Error(`sync has stopped: ${evidence.problem}`);
      return ask().catch((error: unknown) => {
        // Sync has not been there long enough to make its tables.
        if ([1049, 1146].includes((error as { errno?: number }).errno ?? 0)) return false;
        throw error;
      });
    },
    30,
  );
}

/**
 * Waits until the target has everything the quiet source has; poisoned rows are mended in the source and repaired on the way. Answers what was parked
 * wrongly; throws when it does not come to an end.
 */
export async function settle(
  source: Connection,
  target: Connection,
  stand: Stand,
  sync: SyncProcess,
): Promise<readonly string[]> {
  await reach(source, target, stand, sync);
  const wrong = await checkParked(source, target, stand.control);
  const isEmpty = async () =>
    (await rowsOf(target, `SELECT 1 FROM ${stand.control}.parked LIMIT 1`)).length === 0;
  if (!(await isEmpty())) {
    await source.query(
      `UPDATE account SET state = 'A', name = 'mended', version = version + 1 WHERE ${POISON}`,
    );
    // What is parked waits with all that follows on its key, until it is repaired.
    await reach(source, target, stand, sync);
    const written = await rowsOf(target, `SELECT holder_id FROM holder WHERE title = 'mended'`);
    if (written.length > 0)
      return [
        ...wrong,
        ...written.map((row) => `holder ${String(row['holder_id'])} is parked and was written`),
      ];
    await untilOrStopped('keys stay parked', stand, sync, async () => {
      await sync.retryParked();
      return isEmpty();
    });
    await reach(source, target, stand, sync);
  }
  return wrong;
}
