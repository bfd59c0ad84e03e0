import type { LedgerPart } from '../ledger/ledger.js';

/**
 * The things a move does to the world. Two implementations: one does them, one says what it would do. Each answers
 * with a sentence, and the order is the same because the same pipeline calls both.
 */
export type Steps = {
  setShare(flag: string, share: number): Promise<string>;
  /** A flag that cannot be written must not stop a rollback: the phase alone brings everyone back. It never throws. */
  turnOff(flag: string): Promise<string>;
  /** All of it or nothing, as one change of the routing state. */
  append(parts: readonly LedgerPart[]): Promise<string>;
  /** Waits until every live subscriber has the state in force, a few seconds at most. */
  awaitSubscribers(): Promise<string>;
  /** Waits until the proxy says it has read the share of every migration that moves, a few seconds at most. */
  awaitShare(share: number): Promise<string>;
};
