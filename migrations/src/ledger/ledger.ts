import type { CutoverState, Phase, Side, Verification } from '@strangler/contracts';
import type { Gate } from '../gates/gate.js';

export const LEDGER_KINDS = [
  'advanced',
  'forced',
  'rolled-back',
  'share-changed',
  'refused',
  'verified',
  'approved',
  'cutover',
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

/** A row of the journal: one state of a cutover. The journal is the ledger's events of the kind `cutover` (docs/adr/0026). */
export type CutoverEntry = {
  /** Of the group, or of the migration. */
  readonly unit: string;
  /** Counts the attempts of the unit, 1 is the first. */
  readonly epoch: number;
  readonly state: CutoverState;
  readonly from: Side;
  readonly to: Side;
  /** What was done to come here, or why it goes back; one sentence. */
  readonly note: string;
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
  /** Of the kind `cutover` only. */
  readonly cutover?: CutoverEntry | null;
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

/** Whose lease must be the newest for an append to count. */
export type Guard = { readonly unit: string; readonly token: number };

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
  /**
   * The same for several migrations in one transaction: nobody ever reads a history that has a part of it. With a guard it throws
   * LEASE_LOST when somebody has taken the lease since, and nothing is written.
   */
  appendTogether(parts: readonly LedgerPart[], guard?: Guard): Promise<readonly LedgerEvent[]>;
};
