import { expect, it } from '@jest/globals';
import { checkMoves } from './check-moves.js';
import { choose, FAULTS } from './choose.js';
import { searchFaults } from './main.js';

it('a seed chooses the same writes and the same faults again, and another seed others', () => {
  expect(choose(7)).toEqual(choose(7));
  expect(choose(8)).not.toEqual(choose(7));
});

it('a hundred seeds choose every fault, and every kind of write', () => {
  const all = Array.from({ length: 100 }, (_, seed) => choose(seed));
  const kinds = new Set(all.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect([...kinds].toSorted()).toEqual([...FAULTS].toSorted());
  const sql = all.flatMap(({ writers }) => writers.flat().flatMap(({ statements }) => statements)).join(';');
  for (const part of [
    'DELETE FROM',
    'SET id =',
    'SET code = NULL',
    'ROLLBACK TO',
    'ADD COLUMN',
    'seq_1_to_5000',
    "'poison'",
    "'X'",
  ])
    expect(sql).toContain(part);
  expect(new Set(all.flatMap(({ writers }) => writers.flat().map(({ end }) => end)))).toEqual(
    new Set(['COMMIT', 'ROLLBACK', 'none']),
  );
});

it('moves of the offset that leave a gap, go back, or stand beside each other are found', () => {
  const move = (seqBefore: number, seqAfter: number) => ({
    seqBefore,
    seqAfter,
    before: `mariadb-gtid:0-1-${seqBefore}`,
    after: `mariadb-gtid:0-1-${seqAfter}`,
  });
  expect(checkMoves([move(9, 10), move(10, 10), move(10, 12)])).toEqual([]);
  expect(checkMoves([move(9, 10), move(11, 12)])).toHaveLength(1);
  expect(checkMoves([move(9, 10), move(9, 10)])).toHaveLength(1);
  expect(checkMoves([move(10, 9)])).toHaveLength(1);
  expect(checkMoves([{ ...move(9, 10), after: 'binlog.000001' }])).toHaveLength(1);
});

it.each([
  ['a number of runs that is none', ['--runs', 'many']],
  ['a source that cannot be searched', ['--source', 'paper']],
  ['an option that is unknown', ['--speed', '2']],
])('%s is told before a server is started, with exit code 2', async (_, argv) => {
  const lines: string[] = [];
  const start = () => Promise.reject(new Error('started'));
  expect(await searchFaults(argv, start, (line) => void lines.push(line))).toBe(2);
  expect(lines).toEqual([expect.stringContaining('usage: npm run faults:cdc')]);
});
