import { checkAuthority } from './check-authority.js';
import { checkCells } from './check-cells.js';
import { checkStock } from './check-stock.js';
import { checkWrites } from './check-writes.js';
import type { Findings, History } from './history.js';

/** What the history breaks of the promises of a cutover. It knows nothing of how one works. */
export function checkHistory(history: History): Findings {
  const { lost, duplicated } = checkWrites(history);
  const cells = checkCells(history);
  return {
    lost: [...lost, ...checkStock(history), ...cells.lost],
    duplicated,
    doubleAuthority: checkAuthority(history),
    orderViolations: cells.orderViolations,
  };
}

export const isClean = (findings: Findings): boolean =>
  [findings.lost, findings.duplicated, findings.doubleAuthority, findings.orderViolations].every(
    (sentences) => sentences.length === 0,
  );
