import type { ParkingResult, Row } from '@strangler/contracts';
import type { Parked } from './parking-lot.js';
import type { Recopier, RecopyWish } from './recopy.js';
import type { StoredRecopy } from './recopy-store.js';
import type { ParkingWish } from './repair.js';
import type { Stand } from './stands.js';
import type { TablePair } from './table-pair.js';
import type { Throttle } from './throttle.js';

/** A running pipeline as verification sees it. */
export type Flow = {
  readonly pairs: readonly TablePair[];
  /** Resolves when the target has everything that was committed in the source before the call. Throws APPLY_BEHIND. */
  reach(signal: AbortSignal, deadlineMs?: number): Promise<void>;
  /** Calls back for every key of a target that the log touches, with the name of its pair and null where it may be any, until the returned function is called. */
  watch(onTouched: (pair: string, key: Row | null) => void): () => void;
  readonly parked: () => ReadonlyMap<string, Parked>;
  /** Repairs or gives up parked keys. Throws KEY_NOT_PARKED. */
  settleParked(wish: ParkingWish): Promise<ParkingResult>;
  /** Copies a table or a range of it once more. Throws TABLE_NOT_MAPPED, KEY_INVALID and RECOPY_RUNNING. */
  recopy(wish: RecopyWish): Promise<StoredRecopy>;
  /** Lets the flow stand where this token of a watermark has been applied, and nothing behind it. */
  standAt(token: string, signal: AbortSignal): Promise<Stand>;
  readonly mend: Recopier['mend'];
  readonly throttle: Throttle;
};
