import type { Offset } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Applier } from './apply.js';
import { countRows } from './backfill.js';
import type { ChangeSource } from './change-source.js';
import type { Database } from './connect.js';
import { targetNotEmpty } from './errors.js';
import { ownRows } from './own-rows.js';
import { preparedHaveEnded } from './prepared-transactions.js';
import { addProgress } from './progress.js';
import { tableName } from './sql.js';
import type { TablePair } from './table-pair.js';

export type FirstStart = {
  readonly stream: string;
  readonly pairs: readonly TablePair[];
  readonly changes: ChangeSource;
  readonly applier: Applier;
  readonly source: Connection;
  readonly target: Connection;
  readonly to: Database;
  /** Both sides are equal where it begins: nothing is copied, and the target may hold rows. */
  readonly beginsEqual?: boolean;
};

/**
 * Takes note of where the log stands before the first row is read, so that nothing that changes while tables are counted and copied is missed.
 * Throws TARGET_NOT_EMPTY and XA_PREPARED.
 */
export async function firstStart({
  stream,
  pairs,
  changes,
  applier,
  source,
  target,
  to,
  beginsEqual = false,
}: FirstStart): Promise<Offset> {
  const written = pairs.filter(({ shadow }) => !shadow);
  const filled = written.flatMap((pair) => [
    { table: pair.target, where: ownRows(pair) },
    ...pair.children.map((table) => ({ table, where: 'TRUE' })),
  ]);
  for (const { table, where } of beginsEqual ? [] : filled) {
    const [rows] = await target.query<RowDataPacket[]>(
      `SELECT 1 FROM ${tableName(table)} WHERE ${where} LIMIT 1`,
    );
    if (rows.length > 0) throw targetNotEmpty(table.name);
  }
  const offset = await changes.now();
  if (!beginsEqual) await preparedHaveEnded(source, pairs[0]?.source.database ?? '');
  const totals: { readonly name: string; readonly total: number; readonly isDone: boolean }[] = [];
  for (const { name, source: table, shadow } of pairs) {
    // What rows are put together from is nowhere yet.
    const isDone = beginsEqual && !shadow;
    totals.push({ name, total: isDone ? 0 : await countRows(source, table), isDone });
  }
  await applier.begin(offset, async (connection) => {
    for (const { name, total, isDone } of totals)
      await addProgress(connection, to, stream, name, total, isDone);
  });
  return offset;
}
