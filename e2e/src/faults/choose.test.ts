import { expect, it } from '@jest/globals';
import { choose, nameOf } from './choose.js';
import { placeOf } from './hurt.js';
import { searchCutoverFaults } from './main.js';
import { LINKS, PROGRAMS } from './stage.js';

it('a seed chooses the same faults again, and another seed others', () => {
  expect(choose(7)).toEqual(choose(7));
  expect(choose(8)).not.toEqual(choose(7));
});

it('three hundred seeds hurt every program, every link and both databases, in copies, cutovers and rollbacks', () => {
  const all = Array.from({ length: 300 }, (_, seed) => choose(seed));
  const faults = all.flatMap((choices) => choices.faults);
  const places = new Set(faults.map(placeOf));
  for (const place of [...PROGRAMS, ...LINKS, 'database of legacy', 'database of service'])
    expect(places).toContain(place);
  const names = new Set(faults.map(nameOf));
  for (const program of PROGRAMS)
    for (const kind of ['kill', 'pause']) expect(names).toContain(`${kind} ${program}`);
  expect(new Set(faults.map(({ move }) => move))).toEqual(new Set([0, 1, 2, 3]));
  expect(all.some(({ copiesFirst }) => copiesFirst)).toBe(true);
});

it('a fault belongs to a move that happens', () => {
  for (let seed = 0; seed < 300; seed++) {
    const { faults, moves, copiesFirst } = choose(seed);
    expect(faults.length).toBeGreaterThan(0);
    for (const { move } of faults) {
      expect(move).toBeLessThanOrEqual(moves);
      expect(move).toBeGreaterThanOrEqual(copiesFirst ? 0 : 1);
    }
  }
});

it.each([
  ['a number of runs that is none', ['--runs', 'many']],
  ['a seed that is none', ['--seed', '-1']],
  ['an option that is unknown', ['--speed', '2']],
])('%s is told before a server is started, with exit code 2', async (_, argv) => {
  const lines: string[] = [];
  const start = () => Promise.reject(new Error('started'));
  expect(await searchCutoverFaults(argv, start, (line) => void lines.push(line))).toBe(2);
  expect(lines).toEqual([expect.stringContaining('usage: npm run faults')]);
});
