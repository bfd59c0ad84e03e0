import { createRollingCount } from './rolling-count.js';

/** Keeps retries from becoming the load that keeps an upstream down. */
export type RetryBudget = {
  /** A request that is sent, for the first time or again. */
  count(at: number): void;
  /** False: the budget is used up, and nothing was taken. */
  take(at: number): boolean;
};

// Linkerd's retry budget: 20 % of the requests and 10 a second, both of the last 10 s (Envoy: retry_budget, 20 %).
const WINDOW_MS = 10_000;

export function createRetryBudget(limits: {
  readonly budgetRatio: number;
  readonly budgetPerSecond: number;
}): RetryBudget {
  const requests = createRollingCount(WINDOW_MS);
  const retries = createRollingCount(WINDOW_MS);
  const free = limits.budgetPerSecond * (WINDOW_MS / 1_000);
  return {
    count: (at) => requests.add(at),
    take(at) {
      const again = retries.sum(at);
      if (again + 1 > (requests.sum(at) - again) * limits.budgetRatio + free) return false;
      retries.add(at);
      return true;
    },
  };
}
