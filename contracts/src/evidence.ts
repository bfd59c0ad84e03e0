import type { Stream } from './handover.js';
import type { Phase } from './phases.js';
import type { Problem } from './problem.js';
import type { Verification, VerificationProgress } from './verification.js';

/** Outcome of comparing the candidate's answer with the control's. */
export const COMPARISONS = ['match', 'mismatch', 'ignored', 'inconclusive'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** One difference: a JSON pointer into the body, `status`, or `header NAME`. Values are redacted and cut short. */
export type Difference = {
  readonly path: string;
  readonly kind: 'missing' | 'extra' | 'type' | 'value' | 'length';
  readonly control: string;
  readonly candidate: string;
};

export type MismatchSample = {
  readonly at: string;
  readonly request: string;
  readonly differences: readonly Difference[];
};

export type RouteEvidence = {
  /** The pattern as the plan writes it. */
  readonly route: string;
  /** Answers to clients, by who gave them; `fallback` were meant for the service and answered by legacy. */
  readonly served: { readonly legacy: number; readonly service: number; readonly fallback: number };
  readonly comparisons: Readonly<Record<Comparison, number>>;
  /** When legacy has last answered a client on it; null or left out: not since the proxy started. */
  readonly legacyAt?: string | null;
  /** Comparisons without a mismatch since the last one; 0 in n bound the true rate by 3/n at 95 % (rule of three). */
  readonly cleanSinceMismatch: number;
  readonly lastMismatchAt: string | null;
  /**
   * What `cleanSinceMismatch` was just before some times, oldest first, at most 32: what a proxy had compared before another one found a
   * mismatch can be taken off. Left out: nothing is known of that.
   */
  readonly cleanMarks?: readonly (readonly [at: string, clean: number])[];
  /** What was not compared, by reason. */
  readonly notCompared: Readonly<Record<string, number>>;
  readonly samples: readonly MismatchSample[];
};

/** Writes of a migration in one proxy. Those that were held are counted since its start. */
export type WritesEvidence = {
  /** Now, with nothing of them forwarded. */
  readonly held: number;
  /** Now: judged and not held, and without an outcome. */
  readonly inFlight: number;
  /** From the state that said so to the one that said no more of it; null before the first time. */
  readonly lastHoldMs: number | null;
  readonly released: number;
  /** Answered 503: too many, too long, or the proxy stopped. */
  readonly refused: number;
  /** Their clients hung up. */
  readonly left: number;
};

export type MigrationTraffic = {
  readonly phase: Phase;
  readonly share: {
    /** Percent of clients the flag sends to the service, 0 when it is off, null when it cannot be told from the flag. */
    readonly configured: number | null;
    /** Percent of distinct clients, and of requests that could be diverted, that went to the service since the flag or the phase last changed; null before the first. */
    readonly observedClients: number | null;
    readonly observedRequests: number | null;
    readonly clients: number;
    /** Those of the clients whom a pin alone keeps on the service, although the flag would send them back. */
    readonly pinned?: number;
    readonly requests: number;
    readonly since: string;
  };
  /** Answers of the service to clients with status 500 and above, or none at all. */
  readonly serviceFailures: number;
  /** Left out: nothing is known of them. */
  readonly writes?: WritesEvidence;
  readonly routes: readonly RouteEvidence[];
};

/** A plan that a proxy was given and could not put into force. At most twenty problems. */
export type PlanRejected = { readonly at: string; readonly problems: readonly Problem[] };

/** An upstream is healthy while one of its instances is. */
export type UpstreamEvidence = {
  readonly healthy: boolean;
  readonly reason: string | null;
  readonly instances?: readonly InstanceEvidence[];
};

export type InstanceEvidence = {
  /** Its URL; with the address behind it when its name was looked up. */
  readonly instance: string;
  readonly healthy: boolean;
  readonly reason: string | null;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Requests of clients that wait for its answer or read it. */
  readonly pending: number;
};

/** `GET /evidence` of a proxy's admin port. */
export type ProxyEvidence = {
  readonly instance: string;
  readonly at: string;
  readonly startedAt: string;
  readonly planRevision: string;
  /** The plan in force; `rejected` while the plan file says something else that is not right. Left out: it cannot reload. */
  readonly plan?: { readonly revision: string; readonly rejected: PlanRejected | null };
  readonly stateVersion: number;
  /** False while the control plane is out of reach and the last known state is served. */
  readonly inContact: boolean;
  readonly requests: { readonly total: number; readonly failed: number };
  readonly upstreams: Readonly<Record<string, UpstreamEvidence>>;
  readonly migrations: Readonly<Record<string, MigrationTraffic>>;
};

/** `held` keeps the client on the service; `stale` is from before a rollback, `invalid` forged or another client's. */
export const PIN_STATES = ['none', 'held', 'stale', 'invalid'] as const;
export type PinState = (typeof PIN_STATES)[number];

/** `GET /explain?method=&path=&...` of a proxy's admin port: where a request would go, and why. */
export type Explanation = {
  readonly method: string;
  readonly path: string;
  readonly upstream: string;
  readonly shadow: boolean;
  readonly migration: string | null;
  readonly route: string | null;
  readonly phase: Phase | null;
  readonly flag: string | null;
  readonly client: { readonly kind: 'user' | 'anonymous' | 'none'; readonly bucket: number | null };
  /** What the request's pin is worth; null where pins do not count. */
  readonly pin?: PinState | null;
  /** Set when a valid tester's token decided. */
  readonly tester?: { readonly name: string; readonly side: 'legacy' | 'service' } | null;
  /** One sentence. */
  readonly reason: string;
  /** The proxy that says so: another one may run another plan, or not have heard of a phase yet. */
  readonly by?: { readonly instance: string; readonly planRevision: string; readonly stateVersion: number };
};

export type TableProgress = {
  readonly table: string;
  readonly copied: number;
  readonly total: number;
  readonly done: boolean;
};

/** A row that the target has refused: it stays as it is there until somebody decides, and the others go on. */
export type ParkedKey = {
  /** `TABLE:KEY` of the target, as commands take it. */
  readonly key: string;
  readonly code: string;
  /** One sentence. */
  readonly problem: string;
  /** Changes of it since then. */
  readonly events: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Set when nothing is wrong with it but the parked row that it refers to. */
  readonly waits?: true;
};

/** `GET /migrations/NAME/parked` of the sync's admin port, oldest first. */
export type ParkedKeys = { readonly keys: readonly ParkedKey[] };

/** What became of keys that were to be repaired or given up. */
export type ParkingResult = {
  readonly dryRun: boolean;
  /** Keys that were asked for, with those that wait behind them. */
  readonly keys: readonly string[];
  /** Keys that are written again. */
  readonly released: readonly string[];
  readonly parked: readonly ParkedKey[];
};

/** A table, or a range of its keys, that is copied again while its log is followed. Keys are JSON lists of the key's values. */
export type Recopy = {
  readonly table: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Rows of both sides in the range that were looked at so far, and how many there were at the start. */
  readonly looked: number;
  readonly total: number;
  /** Rows of the target that had no source row. */
  readonly removed: number;
  readonly etaMs: number | null;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
};

/** Answer to `POST /migrations/NAME/recopy` of the sync's admin port: what was begun, or would be. */
export type RecopyResult = { readonly dryRun: boolean; readonly recopy: Recopy };

/** A write into a mapped table of the target that is not ours. */
export type StrayWrite = {
  readonly table: string;
  /** As a person reads it; null where the log does not tell. */
  readonly key: string | null;
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate' | 'statement';
  /** By the target's clock, exact to a second. */
  readonly at: string;
  /** `USER@HOST` of its connection; null when that cannot be told any more. */
  readonly user: string | null;
};

export type StrayWrites = {
  /** Why it cannot be told whether there are any, one sentence; null while the target's log is followed. */
  readonly unwatched: string | null;
  readonly count: number;
  readonly repaired: number;
  /** The newest, at most ten. */
  readonly samples: readonly StrayWrite[];
};

/** A conflict as it was settled; rows by their target columns, null where there was none or it was too long to be kept. */
export type KeptConflict = {
  readonly table: string;
  readonly key: string;
  readonly policy: string;
  readonly winner: string;
  readonly source: unknown;
  readonly target: unknown;
  readonly at: string;
};
/** `GET /migrations/NAME/conflicts` of the sync's admin port, newest first, at most a hundred. */
export type KeptConflicts = { readonly conflicts: readonly KeptConflict[] };

/** Conflicts of one kind in a table that both sides write, since the start of the process. */
export type ConflictCount = {
  /** Target table. */
  readonly table: string;
  /** What decided: a policy of the row, or `column-owner`. */
  readonly policy: string;
  readonly winner: 'source' | 'target' | 'nobody';
  readonly count: number;
};

export const SYNC_STATES = ['idle', 'backfilling', 'tailing', 'dropping', 'stopped'] as const;
export type SyncState = (typeof SYNC_STATES)[number];

export type MigrationSync = {
  /** The stream that all of this is of: the one that the phase lets run. Left out: there is none but that from legacy to the service. */
  readonly stream?: Stream;
  readonly state: SyncState;
  /** Why it stopped, one sentence with the remedy; null otherwise. */
  readonly problem: string | null;
  readonly backfill: {
    readonly tables: readonly TableProgress[];
    readonly etaMs: number | null;
    /** Why the copy pauses, one sentence; null while it does not. Left out: nothing is known of that. */
    readonly throttled?: string | null;
  };
  /** What is copied again or was last, one for a table. Left out: nothing is known of that. */
  readonly recopies?: readonly Recopy[];
  /** Milliseconds from source commit to target commit, of the newest heartbeat and the 99th percentile of the last ten minutes. */
  readonly lagMs: number | null;
  readonly lagMsP99: number | null;
  readonly offset: string | null;
  readonly applied: { readonly transactions: number; readonly rows: number };
  readonly verification: Verification | null;
  /** Left out: none runs. */
  readonly verifying?: VerificationProgress;
  /** Written keys that were compared soon after, and those that differed in every look, since the start of the process. Left out: nobody looks. */
  readonly inline?: { readonly looked: number; readonly drifted: number };
  /** Left out: nothing is known of that. */
  readonly parked?: {
    readonly keys: number;
    readonly oldestAt: string | null;
    readonly samples: readonly ParkedKey[];
  };
  /** Left out: nobody looks for them. */
  readonly strayWrites?: StrayWrites;
  /** Left out: one side alone writes each table. */
  readonly conflicts?: readonly ConflictCount[];
};

/** `GET /evidence` of the sync's admin port. */
export type SyncEvidence = {
  readonly instance: string;
  readonly at: string;
  readonly planRevision: string;
  readonly stateVersion: number;
  readonly inContact: boolean;
  readonly migrations: Readonly<Record<string, MigrationSync>>;
};
