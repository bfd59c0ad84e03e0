import { columnGone, columnTypeUnknown } from './errors.js';
import { columnOf, type Table } from './table.js';

/** Throws COLUMN_GONE or COLUMN_TYPE_UNKNOWN when the table as it is now can no longer give what the mapping reads. */
export function assertFollows(_before: Table | undefined, now: Table, columns: readonly string[]): void {
  for (const name of columns) {
    const column = columnOf(now, name);
    if (!column) throw columnGone(now.name, name);
    if (column.kind === 'unsupported') throw columnTypeUnknown(now.name, name, column.type);
  }
}
