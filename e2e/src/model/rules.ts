import type { Side } from '@strangler/contracts';

/** The rules of the protocol, each of which a seeded bug can take away. */
export type Rules = {
  /** Whether the application's tables there have triggers that read the fence. */
  readonly fenced: Readonly<Record<Side, boolean>>;
  /** The fence closes only when every open transaction that has written is over. */
  readonly fenceWaitsForOpen: boolean;
  /** An applier is refused while the fence is open. */
  readonly openFenceRefusesAppliers: boolean;
  /** The fence row takes nothing from a coordinator with an older token. */
  readonly fenceKnowsToken: boolean;
  /** The fence row takes nothing of an older attempt. */
  readonly fenceKnowsEpoch: boolean;
  /** Open is the last word of an attempt: a fence that was opened under an epoch is not closed under the same. */
  readonly openIsLastWord: boolean;
  /** An abort writes the fence row though the fence is open already. */
  readonly abortAlwaysWrites: boolean;
  /** A row of the journal is written only under the newest token. */
  readonly journalKnowsToken: boolean;
  /** A row of the journal is written only behind one that allows it, of the same attempt. */
  readonly journalKnowsState: boolean;
  /** FENCED is written when the fence is closed. */
  readonly fenceBeforeRow: boolean;
  readonly watermarkBehindFence: boolean;
  readonly reachWaits: boolean;
  readonly idsHandedOver: boolean;
  /** The beginning of the other stream is noted while nobody writes. */
  readonly notedBehindFence: boolean;
  /** Asked again for the same epoch, the note stays. */
  readonly notedOnce: boolean;
  /** A note of an older epoch is refused. */
  readonly noteKnowsEpoch: boolean;
  /** A note makes what an applier of that stream has in hand void. */
  readonly noteRaisesIncarnation: boolean;
  /** The new side's fence opens after COMMITTED is written. */
  readonly openAfterCommit: boolean;
  /** COMMITTED and the phase are one transaction. */
  readonly committedAtOnce: boolean;
  /** Proxies release what they hold at OPEN, not before. */
  readonly releaseAtOpen: boolean;
  readonly abortOnlyBeforeCommit: boolean;
  /** Who takes the lease goes on with the attempt in the journal. */
  readonly takenUp: boolean;
  /** A proxy never sends again what it has forwarded. */
  readonly forwardedOnce: boolean;
  /** The service refuses writes of an older epoch than its fence's. */
  readonly guard: boolean;
  /** An applier's transaction finds the row of the offset as it read it, or is undone. */
  readonly offsetCompared: boolean;
  /** An applier leaves out what the other one wrote. */
  readonly echoesLeftOut: boolean;
  /**
   * The coordinator waits, however long, until every proxy holds and, if `drained`, its writes on their way have ended. The protocol waits only so long, and is modelled as not waiting at all.
   */
  readonly waits: 'not' | 'held' | 'drained';
};

/** The protocol of docs/cutover.md. */
export const PROTOCOL: Rules = {
  fenced: { legacy: true, service: true },
  fenceWaitsForOpen: true,
  openFenceRefusesAppliers: true,
  fenceKnowsToken: true,
  fenceKnowsEpoch: true,
  openIsLastWord: true,
  abortAlwaysWrites: true,
  journalKnowsToken: true,
  journalKnowsState: true,
  fenceBeforeRow: true,
  watermarkBehindFence: true,
  reachWaits: true,
  idsHandedOver: true,
  notedBehindFence: true,
  notedOnce: true,
  noteKnowsEpoch: true,
  noteRaisesIncarnation: true,
  openAfterCommit: true,
  committedAtOnce: true,
  releaseAtOpen: true,
  abortOnlyBeforeCommit: true,
  takenUp: true,
  forwardedOnce: true,
  guard: true,
  offsetCompared: true,
  echoesLeftOut: true,
  waits: 'not',
};

/** How much of everything may happen in one run. */
export type Bounds = {
  /** At most 3. */
  readonly writes: number;
  /** 0: any number of them, each in any state that was ever published. */
  readonly proxies: 0 | 1 | 2;
  /** Attempts, either way; at most 3. */
  readonly attempts: number;
  /** How often the lease is taken, the first time included. */
  readonly leases: number;
  /** A write may reach an application past the proxies. */
  readonly direct: boolean;
  /** Answers of the databases may be lost: what was asked is done at once, or one statement at a time is still on its way when nobody waits for it any more. */
  readonly lostAnswers: boolean;
  /** An applier may have a row in hand while another goes on. */
  readonly zombieApplier: boolean;
};
