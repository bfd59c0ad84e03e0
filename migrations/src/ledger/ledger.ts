import type { Phase, Verification } from '@strangler/contracts';
import type { Gate } from '../gates/gate.js';

export const LEDGER_KINDS = [
  'advanced',
  'forced',
  'rolled-back',
  'share-changed',
  'refused',
  'verified',
] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

type ProxyCounters = {
  readonly instance: string;
  readonly startedAt: string;
  readonly answers: number;
  readonly failures: number;
};

/** What the service had answered to clients of the proxies when an event was written: later failures are counted from here. */
export type Counters = ProxyCounters & {
  /** Each by itself, where there were several. */
  readonly proxies?: readonly ProxyCounters[];
};

export type NewLedgerEvent = {
  readonly kind: LedgerKind;
  readonly from: Phase;
  /** Equal to `from` when the phase stays. Of a refused advance: where it wanted to go. */
  readonly to: Phase;
  /** Percent of clients; null outside canary. */
  readonly shareFrom: number | null;
  readonly shareTo: number | null;
  readonly by: string;
  readonly why: string | null;
  readonly gates: readonly Gate[];
  readonly verification: Omit<Verification, 'tables'> | null;
  readonly counters: Counters | null;
  readonly planRevision: string;
};

export type LedgerEvent = NewLedgerEvent & {
  readonly id: number;
  readonly migration: string;
  /** 1, 2, 3 ... within the migration. */
  readonly sequence: number;
  /** ISO 8601 in UTC, milliseconds. */
  readonly at: string;
};

/** Events of one migration, to be appended right behind the event with the sequence `after` (0: none yet). */
export type LedgerPart = {
  readonly migration: string;
  readonly after: number;
  readonly events: readonly NewLedgerEvent[];
};

/** The append-only history of phase changes. Nothing is ever changed or taken away. */
export type Ledger = {
  /** Every event, oldest first. */
  history(): Promise<readonly LedgerEvent[]>;
  /** How many events there are; grows with each, whoever writes it. */
  size(): Promise<number>;
  /**
   * Appends all of them or none, right behind the event with the sequence `after` (0: none yet).
   * Throws LEDGER_CHANGED_MEANWHILE when another event is already there.
   */
  append(
    migration: string,
    after: number,
    events: readonly NewLedgerEvent[],
  ): Promise<readonly LedgerEvent[]>;
  /** The same for several migrations in one transaction: nobody ever reads a history that has a part of it. */
  appendTogether(parts: readonly LedgerPart[]): Promise<readonly LedgerEvent[]>;
};
