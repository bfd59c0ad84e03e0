import type { Transaction } from './transactions.js';

/** Who moves a fence, and how long it may wait for writers. */
export type FenceOrder = {
  /** Of the attempt. */
  readonly epoch: number;
  /** The fencing token of the coordinator's lease. */
  readonly coordinator: number;
  readonly timeoutMs: number;
  readonly reason?: string;
};

export type FenceMoved =
  | { readonly kind: 'moved' }
  /** A newer attempt or a newer coordinator has moved one of them: whoever asked is over. */
  | { readonly kind: 'stale'; readonly epoch: number; readonly coordinator: number }
  /** Writers did not end in time. Nothing has moved. The list is empty when the account may not see them. */
  | { readonly kind: 'blocked'; readonly blockers: readonly Transaction[] }
  /** These have no fence, or not the one of this version: nothing would be refused. Nothing has moved. */
  | { readonly kind: 'missing'; readonly tables: readonly string[] };

export type FenceSeen = {
  readonly table: string;
  /** What the fence row says; null when there is none. */
  readonly state: {
    readonly closed: boolean;
    readonly epoch: number;
    readonly coordinator: number;
    readonly reason: string | null;
    /** ISO 8601 in UTC. */
    readonly at: string;
  } | null;
  /** What keeps the fence from holding, one sentence each; empty when it holds. */
  readonly defects: readonly string[];
  /** Writes that pass by it, one sentence each. */
  readonly gaps: readonly string[];
};

/** How a fence is put up that is not there yet. One that is there stays as it stands. */
export type FenceStart = { readonly open: boolean; readonly epoch: number };

/**
 * The fences of one database. One stands in front of each table: open, the application writes and appliers are refused; closed, it is the other way round. So of the two at most one can write
 * at any time, whatever either of them believes. Each call may be repeated. They throw FENCE_DATABASE_UNREACHABLE, and FENCE_NOT_ALLOWED with the GRANT that is missing.
 */
export type Fences = {
  /** Statements that put up what is missing; none when all is there. */
  toInstall(tables: readonly string[], start: FenceStart): Promise<readonly string[]>;
  install(tables: readonly string[], start: FenceStart): Promise<void>;
  /** Statements that take the fences away. */
  toRemove(tables: readonly string[]): Promise<readonly string[]>;
  remove(tables: readonly string[]): Promise<void>;
  /** All of them or none. When it has moved, no write of the application is committed from here on, and every one before is. */
  close(tables: readonly string[], order: FenceOrder): Promise<FenceMoved>;
  /** All of them or none. When it has moved, no applier can write from here on. */
  open(tables: readonly string[], order: FenceOrder): Promise<FenceMoved>;
  look(tables: readonly string[]): Promise<readonly FenceSeen[]>;
};
