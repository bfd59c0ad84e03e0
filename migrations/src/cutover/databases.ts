import type { Side } from '@strangler/contracts';
import type { Outcome } from './steps.js';

/** What was found of the fence of one side. */
export type FenceLook = {
  readonly side: Side;
  /** Why it could not be relied on, one sentence with the remedy; null: it is whole. */
  readonly problem: string | null;
  /** Null while it is not whole. */
  readonly closed: boolean | null;
  readonly epoch: number;
};

/** Who closes or opens a fence, so that one who no longer may is refused. */
export type FenceOrder = { readonly epoch: number; readonly coordinator: number };

/** What a cutover does in the two databases of a unit itself. `side` is the one whose database is meant. It never throws for what can be expected: the outcome says it. */
export type CutoverDatabases = {
  look(): Promise<readonly FenceLook[]>;
  /** Waits for every transaction that has written, at most `timeoutMs`. */
  close(side: Side, order: FenceOrder & { readonly timeoutMs: number }): Promise<Outcome>;
  open(side: Side, order: FenceOrder & { readonly timeoutMs?: number }): Promise<Outcome>;
  /** Takes the fences of both sides away. */
  remove(): Promise<Outcome>;
  /** One sentence for each transaction that is older; none is good. */
  oldTransactions(side: Side, maxMs: number): Promise<readonly string[]>;
  /** One sentence for each table whose ids run out; none is good. */
  idsRunOut(side: Side, gap: number): Promise<readonly string[]>;
  /** Sets the id counters of a side ahead of the other's by the gap. */
  prepareIds(side: Side, gap: number): Promise<Outcome>;
  /** With nobody writing: no id of the other side can be given again by this one. */
  checkIds(side: Side, gap: number): Promise<Outcome>;
};
