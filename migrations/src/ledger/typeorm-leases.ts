import type { DataSource, EntityManager } from 'typeorm';
import { ledgerFailed } from '../errors.js';
import type { Leases } from './leases.js';

/** The newest token of a unit, locked until the transaction ends; 0 when it was never taken. */
export async function leaseToken(manager: EntityManager, unit: string): Promise<number> {
  const [row] = await manager.query<{ token: string }[]>(
    'SELECT token FROM strangler_lease WHERE unit = ? FOR UPDATE',
    [unit],
  );
  return Number(row?.token ?? 0);
}

/** Leases beside the ledger, by the clock of its server: those of the coordinators need not agree. */
export function typeormLeases(source: DataSource, where: string): Leases {
  const reach = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw ledgerFailed(where, cause);
    }
  };
  const until = 'UTC_TIMESTAMP(3) + INTERVAL ? * 1000 MICROSECOND';
  const affected = (result: unknown): number =>
    (result as { affectedRows?: number }).affectedRows ?? Number(result);
  return {
    async take(unit, owner, lastsMs) {
      // By itself: within the transaction two who ask at once would each keep the other from the row.
      await reach(
        source.query(
          "INSERT IGNORE INTO strangler_lease (unit, token, owner, until) VALUES (?, 0, '', '2000-01-01')",
          [unit],
        ),
      );
      return reach(
        source.transaction(async (manager) => {
          const [held] = await manager.query<{ token: string; owner: string; live: number | string }[]>(
            'SELECT token, owner, until > UTC_TIMESTAMP(3) AS live FROM strangler_lease WHERE unit = ? FOR UPDATE',
            [unit],
          );
          if (Number(held?.live) === 1) return { holder: held?.owner ?? '' };
          const token = Number(held?.token ?? 0) + 1;
          await manager.query(
            `UPDATE strangler_lease SET token = ?, owner = ?, until = ${until} WHERE unit = ?`,
            [token, owner, lastsMs, unit],
          );
          return { token };
        }),
      );
    },
    renew: async (unit, token, lastsMs) =>
      affected(
        await reach(
          source.query(`UPDATE strangler_lease SET until = ${until} WHERE unit = ? AND token = ?`, [
            lastsMs,
            unit,
            token,
          ]),
        ),
      ) > 0,
    release: async (unit, token) => {
      await reach(
        source.query("UPDATE strangler_lease SET until = '2000-01-01' WHERE unit = ? AND token = ?", [
          unit,
          token,
        ]),
      );
    },
  };
}
