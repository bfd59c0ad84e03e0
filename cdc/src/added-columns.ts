import type { MigrationData } from '@strangler/contracts';
import { columnsAdded } from './errors.js';
import { sourceTablesOf } from './pair-names.js';

export type AddedColumns = { readonly table: string; readonly columns: readonly string[] };

/**
 * What becomes of columns that are added to a source table while data flow and that no mapping reads: those that one leaves out knowingly go by, others are told,
 * or end the stream with COLUMN_ADDED where the plan says so.
 */
export const whenAdded =
  (table: string, { tables, addedColumns }: MigrationData, tell: (added: AddedColumns) => void) =>
  (added: readonly string[]): void => {
    const columns = added.filter(
      (name) => !tables.some((each) => each.leaveOut?.includes(name) && sourceTablesOf(each).includes(table)),
    );
    if (columns.length === 0) return;
    if (addedColumns === 'stop') throw columnsAdded(table, columns);
    tell({ table, columns });
  };
