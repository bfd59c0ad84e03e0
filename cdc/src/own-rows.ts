import type { Row, Value } from '@strangler/contracts';
import { canonical } from './canonical.js';
import { matches } from './sql.js';
import { columnOf } from './table.js';
import type { TablePair } from './table-pair.js';

/** The rows of the target that are this mapping's, where others write the table too; a condition of SQL. */
export const ownRows = ({ map, target }: Pick<TablePair, 'map' | 'target'>): string =>
  Object.keys(map.own).length === 0 ? 'TRUE' : matches(map.own, target);

/** Whether a row of the target, or its key, is this mapping's. */
export const isOwn = ({ map, target }: Pick<TablePair, 'map' | 'target'>, row: Row): boolean =>
  Object.entries(map.own).every(([name, value]) => {
    const column = columnOf(target, name);
    const text = (given: Value) => (column ? canonical(given, column) : given);
    return text(row[name] ?? null) === text(value);
  });
