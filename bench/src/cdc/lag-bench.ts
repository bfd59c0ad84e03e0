import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';

const TRANSACTIONS_A_SECOND = 200;
const INSERTS = 3;
const UPDATES = 7;
const LOOK_EVERY_MS = 4;
/** Of the seconds that count, before them. */
const WARM = 0.25;
const ARRIVAL_DEADLINE_MS = 60_000;

export type LagLoad = {
  readonly source: Connection;
  readonly target: Connection;
  /** Ids that are free, and those that are filled, from 1 on. */
  readonly filled: number;
  readonly seconds: number;
};

export type Lag = { readonly p50: number; readonly p99: number; readonly max: number };

/**
 * Milliseconds from the commit of a transaction in the source, as its writer sees it, until a reader of the target sees its last row:
 * 2,000 row changes a second, 70 % updates. The reader looks every four milliseconds, which is added to what it finds. The first part of the load is not counted:
 * V8 and the JVM are still compiling then.
 */
export async function measureLag({ source, target, filled, seconds }: LagLoad): Promise<Lag> {
  const committedAt = new Map<number, number>();
  const lags: number[] = [];
  let next = filled + 1;
  const warm = TRANSACTIONS_A_SECOND * seconds * WARM;
  const total = warm + TRANSACTIONS_A_SECOND * seconds;
  const writing = async () => {
    const startedAt = performance.now();
    for (let count = 0; count < total; count++) {
      const wait = startedAt + (count * 1000) / TRANSACTIONS_A_SECOND - performance.now();
      if (wait > 1) await delay(wait);
      const first = ((count * UPDATES) % Math.max(1, filled - UPDATES)) + 1;
      const rows = Array.from(
        { length: INSERTS },
        () =>
          `(${next}, 'sku-${next}', 'The name of ${next++}', 1.5, 3, 'available', '2026-01-02 03:04:05.678901', 'Some words', 7, 1)`,
      );
      await source.query(
        `START TRANSACTION; UPDATE product SET quantity = quantity + 1 WHERE id BETWEEN ${first} AND ${first + UPDATES - 1};
         INSERT INTO product VALUES ${rows.join(', ')}; COMMIT`,
      );
      committedAt.set(next - 1, performance.now());
    }
  };
  const looking = async () => {
    let seen = filled;
    let last = performance.now();
    while (lags.length < total) {
      const [rows] = await target.query<RowDataPacket[]>('SELECT MAX(id) id FROM item');
      const now = performance.now();
      const id = Number(rows[0]?.['id']);
      if (id > seen) last = now;
      seen = id;
      for (const [of, at] of committedAt) {
        if (of > seen) break;
        lags.push(Math.max(0, now - at));
        committedAt.delete(of);
      }
      if (now - last > ARRIVAL_DEADLINE_MS)
        throw new Error(`nothing arrived in the target for ${ARRIVAL_DEADLINE_MS / 1000} s`);
      await delay(LOOK_EVERY_MS);
    }
  };
  await Promise.all([writing(), looking()]);
  lags.splice(0, warm);
  lags.sort((a, b) => a - b);
  const at = (part: number) =>
    Number((lags[Math.min(lags.length - 1, Math.floor(lags.length * part))] ?? 0).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
