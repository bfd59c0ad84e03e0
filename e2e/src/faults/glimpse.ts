import { setTimeout as delay } from 'node:timers/promises';
import type { Side } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { openConnection, rowsOf } from './databases.js';
import type { FenceSeen, Glimpse } from './history.js';

const BETWEEN_MS = 8;

/** Looks at both fences, over and over; keeps what shows both open. */
export type Watch = { stop(): Promise<{ readonly looks: number; readonly glimpses: readonly Glimpse[] }> };

export function watchFences(
  databases: Readonly<Record<Side, string>>,
  fences: Readonly<Record<Side, string>>,
): Watch {
  const closing = new AbortController();
  let looks = 0;
  const glimpses: Glimpse[] = [];
  const connections: Partial<Record<Side, Connection>> = {};
  const look = async (side: Side): Promise<FenceSeen> => {
    const connection = (connections[side] ??= await openConnection(databases[side]));
    const [row] = await rowsOf(
      connection,
      `SELECT MIN(closed) closed, MAX(epoch) epoch FROM ${fences[side]}`,
    );
    return { isOpen: Number(row?.['closed']) === 0, epoch: Number(row?.['epoch'] ?? 0) };
  };
  const watching = (async () => {
    while (!closing.signal.aborted) {
      try {
        const legacy = await look('legacy');
        const service = await look('service');
        const legacyAgain = legacy.isOpen && service.isOpen ? await look('legacy') : legacy;
        looks++;
        if (service.isOpen && legacyAgain.isOpen)
          glimpses.push({ at: performance.now(), legacy, service, legacyAgain });
      } catch {
        // A server is away, or the fence is not there yet.
        for (const side of ['legacy', 'service'] as const) {
          connections[side]?.destroy();
          delete connections[side];
        }
      }
      await delay(BETWEEN_MS);
    }
    for (const connection of Object.values(connections)) connection.destroy();
  })();
  return {
    async stop() {
      closing.abort();
      await watching;
      return { looks, glimpses };
    },
  };
}
