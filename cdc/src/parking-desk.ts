import type { MigrationSync, ParkedKey, ParkingResult } from '@strangler/contracts';
import type { Logger } from 'pino';
import { type Parked, parkedKeyOf } from './parking-lot.js';
import type { Flow } from './flow.js';
import type { ParkingWish } from './repair.js';

const SAMPLES = 10;

/** What a migration tells of its parked keys, and where wishes for them are taken. */
export type ParkingDesk = {
  /** Oldest first. */
  keys(): readonly ParkedKey[];
  /** To be called with what is parked whenever it may have changed. */
  told(parked: ReadonlyMap<string, Parked>): void;
  /** Repairs or gives up parked keys, one wish at a time. `flow` throws when there is none to ask. Throws KEY_NOT_PARKED. */
  settle(wish: ParkingWish, flow: () => Flow): Promise<ParkingResult>;
  evidence(): NonNullable<MigrationSync['parked']>;
};

export function createParkingDesk(migration: string, log: Logger): ParkingDesk {
  let keys: readonly ParkedKey[] = [];
  // Two repairs at once would take each other's watermarks.
  let before: Promise<unknown> = Promise.resolve();
  return {
    keys: () => keys,
    told(parked) {
      if (parked.size > keys.length)
        log.warn(
          { migration, parked: parked.size },
          `migration "${migration}" has ${parked.size} keys parked, whose rows the target has refused`,
        );
      keys = [...parked.values()].map(parkedKeyOf);
    },
    async settle(wish, flow) {
      const settling = before.then(() => flow().settleParked(wish));
      before = settling.catch(() => {});
      const result = await settling;
      if (wish.discard && !result.dryRun)
        log.warn(
          { migration, ...wish.discard },
          `parked keys of migration "${migration}" were given up: ${result.released.join(', ')}`,
        );
      return result;
    },
    evidence: () => ({
      keys: keys.length,
      oldestAt: keys[0]?.firstSeen ?? null,
      samples: keys.slice(0, SAMPLES),
    }),
  };
}
