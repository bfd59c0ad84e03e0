import type { ConflictCount, MigrationData, Offset, StrayWrites, ThrottleLimits } from '@strangler/contracts';
import type { AddedColumns } from './added-columns.js';
import type { Progress } from './backfill.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import type { Database } from './connect.js';
import type { Flow } from './flow.js';
import type { FlowClock } from './flow-clock.js';
import type { TripwireLimits } from './loop-tripwire.js';
import type { Parked } from './parking-lot.js';
import type { StoredRecopy } from './recopy-store.js';
import type { StopPoints } from './stop-points.js';

export type PipelineOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly data: MigrationData;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  /** The stream that writes into the source: what it has written is left out. */
  readonly echoesOf?: string;
  /** Both sides are equal where the stream begins, so nothing is copied. */
  readonly beginsEqual?: boolean;
  /** It begins nowhere but where a handover has noted. */
  readonly isHandedOver?: boolean;
  readonly tripwire?: TripwireLimits;
  readonly flowClock: FlowClock;
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly stopPoints: StopPoints;
  /** Keys that may be parked. */
  readonly maxParkedKeys: number;
  /** When the copy pauses; never when left out. */
  readonly throttle?: ThrottleLimits;
  /** Of the stream, null before it is known. */
  readonly lagMs?: () => number | null;
  readonly observer: PipelineObserver;
};

/** What a running pipeline tells. */
export type PipelineObserver = {
  onProgress(progress: ReadonlyMap<string, Progress>): void;
  onApplied(applied: { readonly offset: Offset; readonly transactions: number; readonly rows: number }): void;
  /** Everything before the heartbeat is in the target; `isOurs`: this very process has written it. */
  onHeartbeat(writtenAt: number, committedAt: number, isOurs: boolean): void;
  /** Something failed and is tried again. */
  onRetry(error: unknown): void;
  /** The keys that are parked, whenever they have changed. */
  onParked(parked: ReadonlyMap<string, Parked>): void;
  /** Why the copy pauses, null while it does not. */
  onThrottled?(reason: string | null): void;
  /** What is copied again, or was last, whenever that has changed. */
  onRecopies?(recopies: readonly StoredRecopy[]): void;
  onStrayWrites?(found: StrayWrites): void;
  /** Columns that are new in the source and left out. */
  onAddedColumns?(added: AddedColumns): void;
  /** Conflicts that were settled, when they are committed. */
  onConflicts?(conflicts: readonly ConflictCount[]): void;
  /** The flow runs from here on and can be asked for a verification. */
  onFlow(flow: Flow): void;
};
