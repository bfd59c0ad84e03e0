import { despiteDeadlocks } from '../despite-deadlocks.js';
import type { LocalClock } from '../local-time.js';

export interface NightlyResult {
  readonly run: number;
  readonly note: string;
}

/** The part of a data source the job needs. */
export interface Database {
  query<T>(sql: string, parameters?: unknown[]): Promise<T>;
}

interface Changed {
  readonly affectedRows: number;
}

/**
 * Writes stock and prices straight into the tables, past every service of the shop: the next category in turn gets
 * one percent dearer, what is nearly gone is refilled, reservations are counted anew, expired sessions go.
 */
export async function runNightly(database: Database, clock: LocalClock): Promise<NightlyResult> {
  const write = (sql: string, parameters: unknown[]): Promise<Changed> =>
    despiteDeadlocks(() => database.query<Changed>(sql, parameters));
  const started = clock.now();
  const { insertId: run } = await database.query<{ insertId: number }>(
    "INSERT INTO job_run (name, started) VALUES ('nightly', ?)",
    [started],
  );
  const [category] = await database.query<{ id: number }[]>(
    'SELECT id FROM category ORDER BY MOD(id + ?, (SELECT MAX(id) FROM category)), id LIMIT 1',
    [run],
  );
  const prices = await write(
    'UPDATE product SET price = ROUND(price * 1.01, 2), modified = ? WHERE category_id = ? AND deleted_at IS NULL',
    [clock.now(), category?.id ?? 0],
  );
  const refilled = await write(
    "UPDATE stock s JOIN product p ON p.id = s.product_id SET s.on_hand = s.on_hand + 50, s.modified = ? WHERE s.on_hand < 5 AND p.status = 'active'",
    [clock.now()],
  );
  const corrected = await write(
    `UPDATE stock s
       LEFT JOIN (SELECT product_id, SUM(qty) AS qty FROM stock_reservation
                   WHERE COALESCE(released, 0) = 0 GROUP BY product_id) r ON r.product_id = s.product_id
        SET s.reserved = COALESCE(r.qty, 0), s.modified = ?
      WHERE s.reserved IS NULL OR s.reserved <> COALESCE(r.qty, 0)`,
    [clock.now()],
  );
  const expired = await write('DELETE FROM session WHERE expires < ?', [clock.now()]);
  const note =
    `prices ${prices.affectedRows}, refilled ${refilled.affectedRows}, ` +
    `reservations ${corrected.affectedRows}, sessions ${expired.affectedRows}`;
  await write('UPDATE job_run SET finished = ?, note = ? WHERE id = ?', [clock.now(), note, run]);
  return { run, note };
}
