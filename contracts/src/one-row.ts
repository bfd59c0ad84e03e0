import type { TableMapping } from './mapping-schema.js';

/** Whether two mappings carry the same rows of one table, each some of the columns. */
export function areOneRow(a: TableMapping, b: TableMapping): boolean {
  const [one, other] = [Object.values(a.key), Object.values(b.key)];
  return (
    a.from === b.from &&
    [a, b].every(({ where, discriminator, writers }) => !where && !discriminator && writers !== 'both') &&
    one.length === other.length &&
    one.every((name) => other.includes(name))
  );
}
