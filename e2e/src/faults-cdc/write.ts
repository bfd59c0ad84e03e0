import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Write } from './choose-write.js';
import { open } from './stand.js';

const RECONNECT_MS = 50;

/** Does the writes one after the other until told to end; answers how many were committed. One that fails is rolled back and left out. */
export async function write(url: string, writes: readonly Write[], isEnded: () => boolean): Promise<number> {
  let connection: Connection | undefined;
  let committed = 0;
  for (const { statements, end, pauseMs } of writes) {
    if (isEnded()) break;
    try {
      connection ??= await open(url);
      const sql = statements.join('; ');
      await connection.query(end === 'none' ? sql : `START TRANSACTION; ${sql}; ${end}`);
      if (end !== 'ROLLBACK') committed++;
    } catch (error) {
      if (isSyntax(error)) throw error;
      // Two writers meet in a deadlock, a key is there already, the server is away.
      await connection?.query('ROLLBACK').catch(() => {
        connection?.destroy();
        connection = undefined;
      });
      if (!connection) await delay(RECONNECT_MS);
    }
    if (pauseMs > 0) await delay(pauseMs);
  }
  connection?.destroy();
  return committed;
}

/** A statement that no server would take is a fault of this search, not of what it searches. */
const isSyntax = (error: unknown): boolean =>
  [1064, 1054, 1136, 1146].includes((error as { errno?: number }).errno ?? 0);
