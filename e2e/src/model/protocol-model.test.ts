import { describe, expect, it } from '@jest/globals';
import { runModel } from './main.js';
import { exploreBug, exploreProtocol, sentenceOf } from './run-model.js';
import type { Bounds } from './rules.js';
import { FEW, SECOND_LINES, SEEDED_BUGS } from './seeded-bugs.js';

const SMALL: readonly Bounds[] = [
  { ...FEW, attempts: 3 },
  { ...FEW, zombieApplier: true },
  { ...FEW, writes: 2, attempts: 1, zombieApplier: true },
  { ...FEW, attempts: 1, lostAnswers: true },
  { ...FEW, attempts: 1, proxies: 2 },
];

describe('the protocol of a cutover', () => {
  it.each(SMALL.map((bounds) => [sentenceOf(bounds), bounds] as const))('holds with %s', (_, bounds) => {
    expect(exploreProtocol(bounds)).toMatchObject({ violation: null, isComplete: true });
  });

  it.each(SECOND_LINES.map((line) => [line.name, line] as const))('holds though %s', (_, line) => {
    expect(exploreBug(line)).toMatchObject({ violation: null, isComplete: true });
  });

  it.each(SEEDED_BUGS.map((bug) => [bug.invariant, bug.name, bug] as const))(
    'breaks %s when %s',
    (invariant, _, bug) => {
      expect(exploreBug(bug).violation?.invariant).toBe(invariant);
    },
  );
});

describe('npm run model', () => {
  it('ends with one line of numbers, and 0 when all is as it should be', () => {
    const lines: string[] = [];
    expect(runModel(['--json'], (line) => lines.push(line), Date.now, [{ ...FEW, attempts: 1 }])).toBe(0);
    expect(lines).toHaveLength(1);
    const { states, ...numbers } = JSON.parse(lines.join()) as Record<string, number>;
    expect(states).toBeGreaterThan(1000);
    const mutants = SEEDED_BUGS.length;
    expect(numbers).toEqual({ violations: 0, mutantsFound: mutants, mutants });
  });

  it('prints how a seeded bug shows, step by step', () => {
    const lines: string[] = [];
    runModel(['--traces'], (line) => lines.push(line), Date.now, []);
    const bug = lines.findIndex((line) => line.startsWith('a write without an answer is sent again'));
    expect(lines.slice(bug + 1, bug + 7)).toEqual([
      '  NoDuplicate does not hold:',
      '    1. a proxy forwards write x to legacy, by epoch 0',
      '    2. write x is written at legacy with id 1, not committed yet',
      '    3. a proxy has waited for write x and sends it again to legacy',
      '    4. write x is committed at legacy, and its client is told',
      '    5. the second write x comes to legacy',
    ]);
  });

  it('says what it does not understand', () => {
    const lines: string[] = [];
    expect(runModel(['--fast'], (line) => lines.push(line), Date.now)).toBe(2);
    expect(lines.join()).toContain('usage: npm run model');
  });
});
