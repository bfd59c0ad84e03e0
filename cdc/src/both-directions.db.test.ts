import { afterEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { binlogSource } from './binlog-source.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import type { Database } from './connect.js';
import { until } from './testing/databases.js';
import { BACK, openTwoWay, THERE, type TwoWay } from './testing/two-way.js';

let pair: TwoWay;
afterEach(() => pair.drop());

const state = (sync: { evidence(now: number): { state: string } }) => sync.evidence(Date.now()).state;
/** Rows that a stream has moved, by the offset of the other side's control schema. */
const moved = async (side: TwoWay['legacy'], stream: string): Promise<number> => {
  const [rows] = await side.root.query<RowDataPacket[]>(
    `SELECT tx_seq FROM ${side.schema}_strangler.apply_offset WHERE stream = ?`,
    [stream],
  );
  return Number(rows[0]?.['tx_seq']);
};
/** A log that keeps its marks while they are tried, and loses them then. */
const losesMarks =
  (database: () => Database) =>
  (tables: readonly CapturedTable[]): ChangeSource => {
    const source = binlogSource({ database: database(), tables });
    if (tables.some(({ table }) => table === 'canary')) return source;
    return {
      now: () => source.now(),
      async *stream(from, signal) {
        for await (const transaction of source.stream(from, signal))
          yield {
            ...transaction,
            changes: transaction.changes.filter(({ table }) => table !== 'apply_offset'),
          };
      },
    };
  };

describe('two streams, one each way', () => {
  it('carry each write once, and stay quiet then', async () => {
    pair = await openTwoWay();
    await pair.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1.50, 1, 1), (2, 'b', 2, 2, 1)");
    const { there, back } = await pair.start();
    await pair.legacy.root.query(
      "UPDATE product SET name = 'quick' WHERE id = 1; UPDATE product SET name = 'quicker' WHERE id = 1; UPDATE product SET name = 'a' WHERE id = 1; INSERT INTO product VALUES (3, 'c', 3, 3, 1)",
    );
    await pair.service.root.query('UPDATE item SET cost = 9.99 WHERE item_id = 2');
    await pair.quiet();
    expect(await pair.rows('legacy')).toEqual(['1 a 1.50 1 1', '2 b 9.99 2 1', '3 c 3.00 3 1']);
    expect(await pair.rows('service')).toEqual(await pair.rows('legacy'));
    // Two rows of the copy and four changes one way, one the other; heartbeats carry no rows.
    expect(there.evidence(Date.now()).applied.rows).toBe(6);
    expect(back.evidence(Date.now()).applied.rows).toBe(1);
    const before = [await moved(pair.service, THERE), await moved(pair.legacy, BACK)];
    await new Promise((done) => setTimeout(done, 1_200));
    const after = [await moved(pair.service, THERE), await moved(pair.legacy, BACK)];
    // Two heartbeats a second each way, and no echoes of them.
    for (const [index, count] of after.entries()) expect(count - (before[index] ?? 0)).toBeLessThan(6);
  });

  it('leave out a large transaction of the other one, that comes in pieces', async () => {
    pair = await openTwoWay();
    const { there, back } = await pair.start();
    const numbers =
      'SELECT seq FROM (SELECT (a.n + b.n * 10 + c.n * 100 + d.n * 1000) seq FROM d a, d b, d c, d) s';
    await pair.legacy.root.query(
      `CREATE TABLE d (n INT); INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
       INSERT INTO product SELECT s.seq, REPEAT('x', 100), 1, 1, 1 FROM (${numbers}) s`,
    );
    await pair.quiet();
    expect(there.evidence(Date.now()).applied.rows).toBe(10_000);
    expect(back.evidence(Date.now()).applied.rows).toBe(0);
    await pair.service.root.query('UPDATE item SET stock = 2');
    await pair.quiet();
    expect(back.evidence(Date.now()).applied.rows).toBe(10_000);
    expect(there.evidence(Date.now()).applied.rows).toBe(10_000);
    expect(await pair.rows('service')).toEqual(await pair.rows('legacy'));
  });

  it('do not carry back that a copy is dropped', async () => {
    pair = await openTwoWay();
    await pair.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1, 1, 1)");
    const { there } = await pair.start();
    await there.wish('drop');
    await until(async () => (await pair.rows('service')).length === 0, 'dropped');
    await pair.service.root.query("INSERT INTO item (item_id, title) VALUES (5, 'last')");
    await until(async () => (await pair.rows('legacy')).some((row) => row.startsWith('5')), 'carried');
    expect(await pair.rows('legacy')).toEqual(['1 a 1.00 1 1', '5 last   ']);
  });

  it('do not start where the log loses the marks', async () => {
    pair = await openTwoWay();
    const there = pair.there({
      sourceOf: (tables) => {
        const source = binlogSource({ database: pair.legacy, tables });
        return {
          now: () => source.now(),
          async *stream(from, signal) {
            for await (const transaction of source.stream(from, signal))
              yield {
                ...transaction,
                changes: transaction.changes.filter(({ table }) => table !== 'apply_offset'),
              };
          },
        };
      },
    });
    void there.wish('run');
    await until(() => state(there) === 'stopped', 'stopped');
    expect(there.evidence(Date.now()).problem).toContain('a write of ours arrives without its mark');
  });

  it('that lose the marks later go round, and are stopped with table and key', async () => {
    pair = await openTwoWay();
    await pair.legacy.root.query("INSERT INTO product VALUES (7, 'a', 1, 1, 1), (8, 'other', 1, 1, 1)");
    const there = pair.there({ sourceOf: losesMarks(() => pair.legacy) });
    const back = pair.back({ sourceOf: losesMarks(() => pair.service) });
    void there.wish('run');
    await until(() => state(there) === 'tailing', 'tailing');
    void back.wish('run');
    await until(() => state(back) === 'tailing', 'tailing');
    let tries = 0;
    await until(
      async () => {
        tries++;
        // Two quick writes on one side are enough, and no content of theirs is ever written again but by the loop.
        await pair.legacy.root.query(
          `UPDATE product SET name = 'x${tries}' WHERE id = 7; UPDATE product SET name = 'y${tries}' WHERE id = 7`,
        );
        return state(there) === 'stopped' || state(back) === 'stopped';
      },
      'a loop is found',
      30_000,
    );
    const problems = [there, back].map((sync) => sync.evidence(Date.now()).problem ?? '');
    expect(problems.join()).toMatch(
      /row "7" of table "(product|item)" has come with the same change more than 3 times within 30 seconds/,
    );
  });
});
