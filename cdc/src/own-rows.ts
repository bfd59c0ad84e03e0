import type { Row, Value } from '@strangler/contracts';
import { canonical } from './canonical.js';
import { compileFilter, filterSql } from './filter.js';
import { isReversed } from './reverse.js';
import { matches } from './sql.js';
import { columnOf } from './table.js';
import type { TablePair } from './table-pair.js';

/** The rows of the target that are this mapping's, where others write the table too, or where on the way there it takes some rows of it only; a condition of SQL. */
export function ownRows({ map, target }: Pick<TablePair, 'map' | 'target'>): string {
  const conditions = [
    ...(Object.keys(map.own).length === 0 ? [] : [matches(map.own, target)]),
    ...(isReversed(map.mapping) ? filterSql(map.mapping.backOf, target) : []),
  ];
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
}

/** Whether a row of the target, or its key, is this mapping's; of a key that does not tell it is not. */
export const isOwn = ({ map, target }: Pick<TablePair, 'map' | 'target'>, row: Row): boolean =>
  (!isReversed(map.mapping) || compileFilter(map.mapping.backOf).takes(row)) &&
  Object.entries(map.own).every(([name, value]) => {
    const column = columnOf(target, name);
    const text = (given: Value) => (column ? canonical(given, column) : given);
    return text(row[name] ?? null) === text(value);
  });
