import type {
  MigrationData,
  MigrationSync,
  RepairResult,
  Verification,
  VerificationProgress,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import type { Database } from './connect.js';
import type { Flow } from './pipeline.js';
import { repairDrift, type RepairWish } from './repair-drift.js';
import type { StopPoints } from './stop-points.js';
import { verify, type VerifyWish } from './verify.js';

/** What runs: the flow, the source as it was last connected to, and until when. */
export type Running = { readonly flow: Flow; readonly from: Database; readonly signal: AbortSignal };

/** What a migration tells of verifications, and where wishes for them and for repairs are taken. */
export type VerifyDesk = {
  /** Runs a verification, or joins the one that runs. */
  verify(wish: VerifyWish, running: Running): Promise<Verification>;
  /** Repairs what differs, one wish at a time. */
  repair(wish: RepairWish, running: Running): Promise<RepairResult>;
  evidence(): Pick<MigrationSync, 'verification' | 'verifying'>;
  /** The copy was dropped. */
  forget(): void;
};

export function createVerifyDesk(
  migration: string,
  options: {
    readonly to: Database;
    readonly data: MigrationData;
    readonly log: Logger;
    readonly clock: () => number;
    readonly stopPoints: StopPoints;
  },
): VerifyDesk {
  const { to, clock, log } = options;
  let verification: Verification | null = null;
  let verifying: Promise<Verification> | undefined;
  let progress: VerificationProgress | undefined;
  let before: Promise<unknown> = Promise.resolve();
  return {
    verify(wish, { flow, from, signal }) {
      verifying ??= verify(
        {
          ...wish,
          stream: migration,
          from,
          to,
          flow,
          chunkRows: options.data.chunkRows,
          clock,
          stopPoints: options.stopPoints,
          onProgress: (now) => (progress = now),
        },
        signal,
      )
        .then((found) => (verification = found))
        .finally(() => {
          verifying = undefined;
          progress = undefined;
        });
      return verifying;
    },
    async repair(wish, { flow, from, signal }) {
      const repairing = before.then(() =>
        repairDrift({ stream: migration, from, to, flow, clock }, wish, signal),
      );
      before = repairing.catch(() => {});
      const result = await repairing;
      if (!result.dryRun)
        log.warn(
          { migration, by: wish.by ?? null, repaired: result.repaired, left: result.left },
          `${result.repaired} keys of the copy of migration "${migration}" were repaired, asked for by "${wish.by ?? 'nobody'}"`,
        );
      return result;
    },
    evidence: () => ({ verification, ...(progress === undefined ? {} : { verifying: progress }) }),
    forget() {
      verification = null;
    },
  };
}
