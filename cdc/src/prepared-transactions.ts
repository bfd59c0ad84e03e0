import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { xaPrepared } from './errors.js';
import { firstThatRuns } from './server-settings.js';

const LOOKS = 20;
const PAUSE_MS = 250;

/** Ids of the transactions of two phases that are prepared and not ended, as XA ROLLBACK takes them. Undefined where the account may not see them. */
export async function preparedTransactions(connection: Connection): Promise<readonly string[] | undefined> {
  const rows = await firstThatRuns(connection, "XA RECOVER FORMAT='SQL'", 'XA RECOVER CONVERT XID');
  return rows?.map((row) => {
    const data = String(row['data']);
    // MariaDB prints an id that can be run, MySQL the bytes of its two parts.
    if (!data.startsWith('0x')) return data;
    const [bytes, end] = [data.slice(2), 2 * Number(row['gtrid_length'])];
    return `0x${bytes.slice(0, end)}, 0x${bytes.slice(end)}, ${Number(row['formatID'])}`;
  });
}

/**
 * Waits until those that are prepared now have ended: their rows are in the log before where a copy begins, and are not in their tables yet. Those that are
 * prepared later come behind. Throws XA_PREPARED when that takes long.
 */
export async function preparedHaveEnded(connection: Connection, schema: string): Promise<void> {
  let first = await preparedTransactions(connection);
  for (let look = 1; first !== undefined && first.length > 0; look++) {
    if (look > LOOKS) throw xaPrepared(schema, first[0] ?? '');
    await delay(PAUSE_MS);
    const now = await preparedTransactions(connection);
    first = first.filter((id) => now?.includes(id));
  }
}
