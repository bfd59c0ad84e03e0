import { nameOf } from './check-writes.js';
import { groupBy } from './group-by.js';
import type { CellWrite, ClientWrite, History } from './history.js';

/**
 * Each cell is a register whose versions count its writes: every version was made by one write, whoever was told a version made it, no write that began
 * when another one had ended comes before it, and the last one is what both sides have.
 */
export function checkCells({ writes, legacy, service }: History): {
  readonly lost: readonly string[];
  readonly orderViolations: readonly string[];
} {
  const [lost, orderViolations]: [string[], string[]] = [[], []];
  const isCell = (write: ClientWrite): write is CellWrite => write.kind === 'cell';
  const invoked = new Map(writes.filter(isCell).map((write) => [write.token, write]));
  const logged = [...legacy.log, ...service.log].filter(({ kind }) => kind === 'cell');
  for (const [cell, entries] of groupBy(logged, ({ key }) => key)) {
    let [version, begunAt, begun] = [0, -Infinity, ''];
    let last = '';
    for (const entry of entries.toSorted((a, b) => a.amount - b.amount)) {
      const write = invoked.get(entry.token);
      if (entry.amount !== version + 1)
        orderViolations.push(
          entry.amount === version
            ? `version ${version} of cell ${cell} was made by "${last}" and by "${entry.token}": one of them is overwritten unseen`
            : `cell ${cell} goes from version ${version} to ${entry.amount} ("${entry.token}")`,
        );
      // One whose client gave up may be done later: only an answer says that it was done before.
      if (write?.outcome === 'ok' && write.endedAt < begunAt)
        orderViolations.push(
          `${nameOf(write)} had ended before "${begun}" began, and comes after it in cell ${cell}`,
        );
      if (write?.version !== undefined && write.version !== entry.amount)
        orderViolations.push(`${nameOf(write)} was told version ${write.version} and made ${entry.amount}`);
      if (write && write.invokedAt > begunAt) [begunAt, begun] = [write.invokedAt, write.token];
      [version, last] = [entry.amount, entry.token];
    }
    for (const [side, { cells }] of [
      ['legacy', legacy],
      ['the service', service],
    ] as const) {
      const has = cells.get(cell);
      if (has?.token !== last || has.version !== version)
        lost.push(
          `cell ${cell} has ${has ? `"${has.token}", version ${has.version},` : 'no row'} in ${side}; the last write was "${last}", version ${version}`,
        );
    }
  }
  for (const cell of new Set([...legacy.cells.keys(), ...service.cells.keys()])) {
    const [there, here] = [legacy.cells.get(cell), service.cells.get(cell)];
    if (there?.token !== here?.token || there?.version !== here?.version)
      lost.push(`cell ${cell} has "${there?.token}" in legacy and "${here?.token}" in the service`);
  }
  return { lost, orderViolations };
}
