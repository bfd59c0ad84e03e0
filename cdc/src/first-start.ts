import type { Offset } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Applier } from './apply.js';
import { countRows } from './backfill.js';
import type { ChangeSource } from './change-source.js';
import type { Database } from './connect.js';
import { targetNotEmpty } from './errors.js';
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
  for (const table of beginsEqual ? [] : pairs.flatMap((pair) => [pair.target, ...pair.children])) {
    const [rows] = await target.query<RowDataPacket[]>(`SELECT 1 FROM ${tableName(table)} LIMIT 1`);
    if (rows.length > 0) throw targetNotEmpty(table.name);
  }
  const offset = await changes.now();
  if (!beginsEqual) await preparedHaveEnded(source, pairs[0]?.source.database ?? '');
  const totals = new Map<string, number>();
  for (const pair of pairs)
    totals.set(pair.source.name, beginsEqual ? 0 : await countRows(source, pair.source));
  await applier.begin(offset, async (connection) => {
    for (const [name, total] of totals) await addProgress(connection, to, stream, name, total, beginsEqual);
  });
  return offset;
}
