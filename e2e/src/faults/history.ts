import type { CutoverState, Side } from '@strangler/contracts';

/** `refused`: nothing was done, and that is certain. `unknown`: the answer got lost, or says itself that nobody knows. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** One write as a client saw it; times are those of one clock, in milliseconds. `endedAt` is when the answer was there or given up. */
type Seen = {
  /** No other write has it. */
  readonly token: string;
  readonly invokedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** Where the client sent it, and what it was told: for whoever reads a finding. */
  readonly via: string;
  readonly told: string;
};
/** Takes so many pieces of an item from the stock; an answer tells the number of the order. */
export type OrderWrite = Seen & {
  readonly kind: 'order';
  readonly item: number;
  readonly quantity: number;
  readonly number?: number;
};
/** Puts the token into a cell; an answer tells which version of the cell that was. */
export type CellWrite = Seen & { readonly kind: 'cell'; readonly cell: number; readonly version?: number };
export type ClientWrite = OrderWrite | CellWrite;

/** A committed write of an application as its own database has logged it, by a trigger in the same transaction. */
export type LoggedWrite = {
  readonly kind: 'order' | 'cell';
  readonly token: string;
  /** Number of the order, or the cell. */
  readonly key: number;
  /** Quantity of the order, or version of the cell. */
  readonly amount: number;
  readonly item: number | null;
  /** Of the fence that let it pass. */
  readonly epoch: number;
  /** When it was done, in microseconds of one clock. */
  readonly at: number;
};

/** What one database has at the end. */
export type Holdings = {
  readonly orders: readonly {
    readonly number: number;
    readonly token: string;
    readonly item: number;
    readonly quantity: number;
  }[];
  readonly stock: ReadonlyMap<number, number>;
  readonly cells: ReadonlyMap<number, { readonly token: string; readonly version: number }>;
  readonly log: readonly LoggedWrite[];
};

export type FenceSeen = { readonly isOpen: boolean; readonly epoch: number };
/** Both fences, legacy's looked at before and after the service's: what is the same both times was so in between. */
export type Glimpse = {
  readonly at: number;
  readonly legacy: FenceSeen;
  readonly service: FenceSeen;
  readonly legacyAgain: FenceSeen;
};

/** A row of the journal, in the order in which they were written. */
export type JournalRow = {
  readonly epoch: number;
  readonly state: CutoverState;
  readonly from: Side;
  readonly to: Side;
};

/** All that is known of a run when it is over and everything has come to rest. */
export type History = {
  readonly writes: readonly ClientWrite[];
  readonly legacy: Holdings;
  readonly service: Holdings;
  /** Pieces of each item before the first write. */
  readonly firstStock: ReadonlyMap<number, number>;
  readonly glimpses: readonly Glimpse[];
  readonly journal: readonly JournalRow[];
};

/** What a history breaks of the promises, sentences; all empty when every one was kept. */
export type Findings = {
  /** A write that was acknowledged or committed and is not on both sides, or sides that differ. */
  readonly lost: readonly string[];
  /** A write that was done twice, or although it was refused; a number that was given twice. */
  readonly duplicated: readonly string[];
  /** Two that could write at once, or one that could although the journal says the other. */
  readonly doubleAuthority: readonly string[];
  /** Writes of a cell that are not in one order which all clients can agree on. */
  readonly orderViolations: readonly string[];
};
