import type { Problem, TableMapping } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { keepsKeysApart } from './narrowing.js';
import type { Side } from './sides.js';
import { quoted, tableName } from './sql.js';
import { columnOf, type Table } from './table.js';

type Unique = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isOfBeginnings: boolean;
};

/** A unique key of the target, and the columns of the source that are copied into it. */
export type DoubtfulUnique = {
  readonly name: string;
  readonly columns: readonly { readonly source: string; readonly target: string }[];
};

/** Unique keys of a table, the primary one among them. */
export async function uniquesOf({ connection }: Side, table: Table): Promise<readonly Unique[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT INDEX_NAME name, COLUMN_NAME col, SUB_PART part FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
    [table.database, table.name],
  );
  return [...new Set(rows.map((row) => String(row['name'])))].map((name) => {
    const parts = rows.filter((row) => row['name'] === name);
    return {
      name,
      columns: parts.map((row) => String(row['col'])),
      isOfBeginnings: parts.some((row) => row['part'] !== null),
    };
  });
}

/** Unique keys of the target, besides its primary one, by which the source does not keep its rows apart, or by a finer comparison. */
export async function doubtfulUniques(
  [from, to]: readonly [Side, Side],
  mapping: TableMapping,
  source: Table,
  target: Table,
): Promise<readonly DoubtfulUnique[]> {
  const rules = { ...mapping.columns, ...mapping.key };
  const held = (await uniquesOf(from, source)).filter(({ isOfBeginnings }) => !isOfBeginnings);
  return (await uniquesOf(to, target)).flatMap(({ name, columns, isOfBeginnings }) => {
    const copied = columns.flatMap((column) => {
      const rule = rules[column];
      return typeof rule === 'string' && columnOf(source, rule) ? [{ source: rule, target: column }] : [];
    });
    if (name === 'PRIMARY' || copied.length < columns.length) return [];
    const isKept =
      !isOfBeginnings &&
      copied.every(({ source: given, target: taken }) => {
        const [a, b] = [columnOf(source, given), columnOf(target, taken)];
        return a && b && keepsKeysApart(a, b);
      }) &&
      held.some((unique) => unique.columns.every((column) => copied.some((each) => each.source === column)));
    return isKept ? [] : [{ name, columns: copied }];
  });
}

/** What may be refused by a unique key of the target although the source has it. Pure. */
export const uniqueProblem = (
  { name, columns }: DoubtfulUnique,
  source: Table,
  target: Table,
  path: string,
): Problem => {
  const names = columns.map((column) => quoted(column.source)).join(', ');
  return {
    code: 'UNIQUE_COARSER',
    path: `${path}.to`,
    message: `unique key "${name}" of target table "${target.name}" may refuse rows that source table "${source.name}" has, which does not keep ${columns.map((column) => `"${column.source}"`).join(', ')} apart in the same way`,
    remedy:
      'drop the key while data flow, give it the collation of the source, or see that there are no such rows',
    statements: [
      `SELECT ${names}, COUNT(*) FROM ${tableName(source)} GROUP BY ${names} HAVING COUNT(*) > 1 LIMIT 10`,
    ],
  };
};
