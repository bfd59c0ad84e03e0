import type { MigrationData } from '@strangler/contracts';
import { columnsAdded } from './errors.js';

export type AddedColumns = { readonly table: string; readonly columns: readonly string[] };

/**
 * What becomes of columns that are added to the source table of mapping `index` while data flow and that it does not read: those it leaves out knowingly go by, others are told,
 * or end the stream with COLUMN_ADDED where the plan says so.
 */
export const whenAdded =
  (
    table: string,
    { tables, addedColumns }: MigrationData,
    index: number,
    tell: (added: AddedColumns) => void,
  ) =>
  (added: readonly string[]): void => {
    const columns = added.filter((name) => !tables[index]?.leaveOut?.includes(name));
    if (columns.length === 0) return;
    if (addedColumns === 'stop') throw columnsAdded(table, columns);
    tell({ table, columns });
  };
