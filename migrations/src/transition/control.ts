import type { Phase, Plan, Verification } from '@strangler/contracts';
import type { Gate } from '../gates/gate.js';
import type { Coordinator } from '../cutover/coordinator.js';
import type { CutoverDatabases } from '../cutover/databases.js';
import type { SyncHandover } from '../cutover/sync-handover.js';
import type { World } from './real-steps.js';
import type { Unit } from './unit.js';

/** What the control plane works with. */
export type Control = World & {
  readonly plan: Plan;
  /** Runs a verification of the copy; may take long. */
  readonly verify: (migration: string, wish: VerifyWish) => Promise<Verification>;
  readonly coordinator: Pick<Coordinator, 'begin'>;
  readonly databases: (unit: Unit) => CutoverDatabases;
  readonly sync: SyncHandover;
};

export type VerifyWish = {
  /** Begins anew where an earlier one was broken off, which else goes on. */
  readonly afresh?: boolean | undefined;
  /** Sees both sides as they were at one moment. */
  readonly exact?: boolean | undefined;
};

export type AdvanceWish = {
  readonly to?: Phase;
  readonly share?: number;
  readonly by: string;
  readonly why?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
};
export type RollbackWish = Omit<AdvanceWish, 'share'>;

export type CutoverWish = {
  readonly by: string;
  readonly why?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
};

/** What an advance, a rollback or a cutover did, or would do. */
export type Moved = {
  readonly ok: true;
  /** Of the migration, or of the group. */
  readonly migration: string;
  /** The migrations that moved: one, or those of the group. */
  readonly members: readonly string[];
  readonly from: Phase;
  readonly to: Phase;
  readonly shareFrom: number | null;
  readonly shareTo: number | null;
  /** What it means for clients and data, one sentence. */
  readonly consequence: string;
  readonly forced: boolean;
  readonly dryRun: boolean;
  readonly gates: readonly Gate[];
  /** What was done, or would be, in order. */
  readonly steps: readonly string[];
  /** Of a cutover: the number of the attempt, and for how long writes were held, milliseconds. */
  readonly epoch?: number;
  readonly heldMs?: number;
};
