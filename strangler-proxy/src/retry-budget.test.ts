import { describe, expect, it } from '@jest/globals';
import { createRetryBudget } from './retry-budget.js';

const taken = (budget: ReturnType<typeof createRetryBudget>, at: number, tries = 1_000): number =>
  Array.from({ length: tries }, () => {
    const isTaken = budget.take(at);
    if (isTaken) budget.count(at);
    return isTaken;
  }).filter(Boolean).length;

describe('a retry budget', () => {
  it('allows a share of the requests and what is free besides', () => {
    const budget = createRetryBudget({ budgetRatio: 0.2, budgetPerSecond: 1 });
    for (let request = 0; request < 100; request++) budget.count(5_000);
    expect(taken(budget, 5_000)).toBe(30);
  });

  it('forgets requests and retries after ten seconds', () => {
    const budget = createRetryBudget({ budgetRatio: 0.5, budgetPerSecond: 0 });
    for (let request = 0; request < 10; request++) budget.count(500);
    expect(taken(budget, 9_900)).toBe(5);
    expect(taken(budget, 10_500)).toBe(0);
    for (let request = 0; request < 10; request++) budget.count(20_500);
    expect(taken(budget, 20_500)).toBe(5);
  });

  it('of nothing allows nothing', () => {
    const budget = createRetryBudget({ budgetRatio: 0, budgetPerSecond: 0 });
    budget.count(0);
    expect(taken(budget, 0)).toBe(0);
  });
});
