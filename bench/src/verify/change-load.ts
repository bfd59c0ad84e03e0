import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';

const TRANSACTIONS_A_SECOND = 50;
const UPDATES = 7;
const INSERTS = 2;

const isDeadlock = (error: { readonly errno?: number }): false => {
  if (error.errno !== 1213 && error.errno !== 1205) throw error;
  return false;
};

/**
 * 500 row changes a second until it is ended: 70 % updates of any row, 20 % inserts, 10 % deletes, ten in a transaction. Ids that are multiples of `spared` are
 * not written. Answers how many a second there were.
 */
export function startChanges(source: Connection, filled: number, spared: number): { end(): Promise<number> } {
  const end = new AbortController();
  let next = filled + 1;
  let state = 7;
  const random = (below: number) =>
    (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % Math.max(1, below);
  const any = () => {
    const id = 1 + random(filled);
    return id % spared === 0 ? Math.max(1, id - 1) : id;
  };
  const run = async () => {
    const startedAt = performance.now();
    let count = 0;
    for (; !end.signal.aborted; count++) {
      const wait = startedAt + (count * 1000) / TRANSACTIONS_A_SECOND - performance.now();
      if (wait > 1) await delay(wait);
      const updates = Array.from(
        { length: UPDATES },
        () => `UPDATE product SET quantity = quantity + 1, name = 'Written ${count}' WHERE id = ${any()}`,
      );
      const inserts = Array.from({ length: INSERTS }, () => {
        if (next % spared === 0) next++;
        return `(${next}, 'sku-${next}', 'The name of ${next++}', 1.5, 3, 'available', '2026-01-02 03:04:05.678901', 'Some words', 7, 1)`;
      });
      const statements = `START TRANSACTION; ${updates.join('; ')}; INSERT INTO product VALUES ${inserts.join(', ')}; DELETE FROM product WHERE id = ${any()}; COMMIT`;
      // The peer locks what it reads, and may meet us in a deadlock.
      while (!(await source.query(statements).then(() => true, isDeadlock))) await source.query('ROLLBACK');
    }
    return Math.round((count * (UPDATES + INSERTS + 1) * 1000) / (performance.now() - startedAt));
  };
  const running = run();
  running.catch(() => {});
  return {
    end() {
      end.abort();
      return running;
    },
  };
}
