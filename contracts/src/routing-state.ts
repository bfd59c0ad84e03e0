import { z } from 'zod';
import { PHASES } from './phases.js';

/**
 * What the ledger says of every migration, as the control plane hands it to proxies and sync.
 * `version` only grows; a subscriber that asks for the state after version N has put N into force.
 */
export const routingStateSchema = z.object({
  version: z.number().int().nonnegative(),
  migrations: z.record(
    z.string(),
    z.object({
      phase: z.enum(PHASES),
      /** When this phase began, ISO 8601 in UTC. */
      since: z.string(),
      /** How often the migration was rolled back; a client's pin of an earlier generation is void. Left out: never. */
      generation: z.number().int().nonnegative().optional(),
      /** Of the authority: how many cutovers were begun, either way. Left out: none. */
      epoch: z.number().int().nonnegative().optional(),
      /** The writes are changing sides: new ones are held until a later state says no more of it. */
      hold: z.literal(true).optional(),
    }),
  ),
});
export type RoutingState = z.infer<typeof routingStateSchema>;

/** Before anything is known, everything is on legacy. */
export const NOTHING_KNOWN: RoutingState = { version: 0, migrations: {} };

/** The phase of a migration; one the ledger has not heard of is on legacy. */
export const phaseOf = (state: RoutingState, migration: string) =>
  state.migrations[migration]?.phase ?? 'legacy';

/** How often a migration has been rolled back. */
export const generationOf = (state: RoutingState, migration: string): number =>
  state.migrations[migration]?.generation ?? 0;

/** The epoch of a migration's authority; 0 before its first cutover. */
export const epochOf = (state: RoutingState, migration: string): number =>
  state.migrations[migration]?.epoch ?? 0;

/** Whether the writes of a migration are held. */
export const isHeld = (state: RoutingState, migration: string): boolean =>
  state.migrations[migration]?.hold ?? false;
