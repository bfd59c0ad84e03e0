import {
  reasonOf,
  type MigrationData,
  type MigrationSync,
  type RepairResult,
  type Verification,
  type VerificationProgress,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import type { Database } from './connect.js';
import { verificationRunning } from './errors.js';
import { followSample } from './inline-sample.js';
import type { Flow } from './flow.js';
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
  /** Looks at a share of what is written from here on, until the flow ends. */
  follow(running: Running, isTailing: () => boolean): void;
  evidence(): Pick<MigrationSync, 'verification' | 'verifying' | 'inline'>;
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
    readonly random: () => number;
    /** Share of the written keys that are looked at; none when left out. */
    readonly inlineShare?: number;
  },
): VerifyDesk {
  const { to, clock, log } = options;
  let verification: Verification | null = null;
  let verifying: Promise<Verification> | undefined;
  let isExact = false;
  let progress: VerificationProgress | undefined;
  let before: Promise<unknown> = Promise.resolve();
  const share = options.inlineShare ?? 0;
  let inline = { looked: 0, drifted: 0 };
  let following = new AbortController();
  return {
    follow({ flow, from, signal }, isTailing) {
      if (share === 0) return;
      // The one of the flow before may have nothing more to look at, and never hear that it has ended.
      following.abort(new Error('ended'));
      following = new AbortController();
      const running = AbortSignal.any([signal, following.signal]);
      const { random } = options;
      const onLooked = (looked: number, drifted: number) => {
        inline = { looked: inline.looked + looked, drifted: inline.drifted + drifted };
        if (drifted > 0)
          log.warn(
            { migration, drifted },
            `${drifted} keys of migration "${migration}" differ soon after they were written: see "strangler repair ${migration} --plan-only"`,
          );
      };
      // Before the copy is whole a key may be missing that is yet to come.
      const chance = () => (isTailing() ? random() : 1);
      const sample = { stream: migration, from, to, flow, share, random: chance, clock, onLooked };
      followSample(sample, running).catch((error: unknown) => {
        if (!running.aborted)
          log.info(
            { migration },
            `what migration "${migration}" writes is not looked at for now: ${reasonOf(error)}`,
          );
      });
    },
    async verify(wish, { flow, from, signal }) {
      if (verifying && wish.exact && !isExact) throw verificationRunning(migration);
      isExact = verifying ? isExact : (wish.exact ?? false);
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
    evidence: () => ({
      verification,
      ...(progress === undefined ? {} : { verifying: progress }),
      ...(share === 0 ? {} : { inline }),
    }),
    forget() {
      verification = null;
      inline = { looked: 0, drifted: 0 };
    },
  };
}
