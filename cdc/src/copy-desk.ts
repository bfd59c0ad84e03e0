import type {
  ConflictCount,
  MigrationData,
  MigrationSync,
  Recopy,
  RecopyResult,
  StrayWrites,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import { addedUp } from './conflict-journal.js';
import type { Flow } from './flow.js';
import type { PipelineObserver } from './pipeline-options.js';
import type { RecopyWish } from './recopy.js';
import type { StoredRecopy } from './recopy-store.js';

/** What a migration tells of copying beside its flow, and where wishes for more are taken. */
export type CopyDesk = {
  readonly observer: Required<
    Pick<PipelineObserver, 'onThrottled' | 'onRecopies' | 'onStrayWrites' | 'onConflicts'>
  >;
  /** Why the copy pauses. */
  throttled(): string | null;
  evidence(): Pick<MigrationSync, 'recopies' | 'strayWrites' | 'conflicts'>;
  /** Throws TABLE_NOT_MAPPED, KEY_INVALID and RECOPY_RUNNING. */
  recopy(wish: RecopyWish, flow: Flow): Promise<RecopyResult>;
  /** The flow has ended: nothing is held any more. */
  ended(): void;
  /** The copy was dropped. */
  forget(): void;
};

export function createCopyDesk(
  migration: string,
  options: {
    readonly log: Logger;
    readonly clock: () => number;
    readonly data: MigrationData;
  },
): CopyDesk {
  const { log, clock } = options;
  const isByBoth = options.data.tables.some(({ writers }) => writers === 'both');
  let throttled: string | null = null;
  let recopies: readonly StoredRecopy[] = [];
  let strayWrites: StrayWrites | undefined;
  let conflicts: readonly ConflictCount[] = [];
  /** Where each recopy was when this process first saw it. */
  const begun = new Map<string, { readonly at: number; readonly looked: number }>();

  const shown = (recopy: StoredRecopy): Recopy => {
    const { table, from, to, looked, total, removed, requestedAt, finishedAt } = recopy;
    const start = begun.get(`${table} ${requestedAt}`);
    const done = start ? looked - start.looked : 0;
    const left = Math.max(0, total - looked);
    const etaMs =
      finishedAt !== null ? 0 : start && done > 0 ? Math.round((left / done) * (clock() - start.at)) : null;
    return { table, from, to, looked, total, removed, etaMs, requestedAt, finishedAt };
  };

  return {
    observer: {
      onThrottled(reason) {
        if (reason !== null && throttled === null)
          log.info({ migration }, `the copy of migration "${migration}" pauses: ${reason}`);
        throttled = reason;
      },
      onRecopies(now) {
        for (const recopy of now) {
          const id = `${recopy.table} ${recopy.requestedAt}`;
          if (!begun.has(id)) begun.set(id, { at: clock(), looked: recopy.looked });
          const before = recopies.find((each) => `${each.table} ${each.requestedAt}` === id);
          if (before?.finishedAt === null && recopy.finishedAt !== null)
            log.info(
              { migration, table: recopy.table, looked: recopy.looked, removed: recopy.removed },
              `table "${recopy.table}" of migration "${migration}" is copied again`,
            );
        }
        recopies = now;
      },
      onStrayWrites(now) {
        const more = now.count - (strayWrites?.count ?? now.count);
        if (more > 0)
          log.warn(
            { migration, more, newest: now.samples[0] },
            `${more} rows of the copy of migration "${migration}" were written by somebody else`,
          );
        if (now.unwatched !== null && now.unwatched !== strayWrites?.unwatched)
          log.info(
            { migration },
            `stray writes of migration "${migration}" cannot be told: ${now.unwatched}`,
          );
        strayWrites = now;
      },
      onConflicts(more) {
        conflicts = addedUp(conflicts, more);
      },
    },
    throttled: () => throttled,
    evidence: () => ({
      recopies: recopies.map(shown),
      ...(strayWrites === undefined ? {} : { strayWrites }),
      ...(isByBoth ? { conflicts } : {}),
    }),
    async recopy(wish, flow) {
      const recopy = await flow.recopy(wish);
      return { dryRun: wish.dryRun ?? false, recopy: shown(recopy) };
    },
    ended() {
      throttled = null;
    },
    forget() {
      recopies = [];
      begun.clear();
      strayWrites = undefined;
    },
  };
}
