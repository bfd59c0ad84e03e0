export type TableVerification = {
  readonly from: string;
  readonly to: string;
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Target rows the mapping expects from the source rows that were read. */
  readonly compared: number;
  readonly different: number;
  readonly missing: number;
  readonly extra: number;
  /** Rows that differ because their keys are parked; they are in none of the three before. Left out: none. */
  readonly parked?: number;
  /** At most ten. */
  readonly samples: readonly { readonly key: string; readonly difference: string }[];
};

export type Verification = {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly clean: boolean;
  readonly rowsVerified: number;
  readonly driftRows: number;
  readonly tables: readonly TableVerification[];
  /** The place of the source's log at which both sides were seen, of an exact one. */
  readonly point?: string;
};

/** What `POST /migrations/NAME/repair` of the sync's admin port has done, or would do. */
export type RepairResult = {
  readonly dryRun: boolean;
  /** Rows that were known to differ, and those that still are; at most ten thousand are kept. */
  readonly total: number;
  readonly left: number;
  /** Keys that were written again, and those that were found equal before. */
  readonly repaired: number;
  readonly equal: number;
  /** What is to be repaired, or is left; at most a hundred. */
  readonly rows: readonly {
    readonly table: string;
    readonly kind: 'different' | 'missing' | 'extra';
    readonly key: string;
    /** What is expected and what is there, cut short. */
    readonly difference: string;
  }[];
};

/** A verification that runs. */
export type VerificationProgress = {
  readonly startedAt: string;
  /** Of the source, or of the target where its own rows are gone through. */
  readonly table: string;
  /** Rows of the source that were looked at, and about how many there are, as the server guesses. */
  readonly looked: number;
  readonly total: number;
};
