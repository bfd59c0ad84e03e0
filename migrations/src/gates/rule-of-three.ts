/**
 * Upper bound of the true rate after 0 events in n trials, at 95 %: 3/n, the rule of three (Hanley and Lippman-Hand,
 * "If nothing goes wrong, is everything all right?", JAMA 1983). A share between 0 and 1.
 */
export const ruleOfThree = (trials: number): number => (trials === 0 ? 1 : Math.min(1, 3 / trials));

/** A share as percent, rounded up so that it stays an upper bound: `0.73 %`. */
export const percentAtMost = (share: number): string =>
  `${(Math.ceil(Number((share * 10_000).toFixed(6))) / 100).toFixed(2)} %`;
