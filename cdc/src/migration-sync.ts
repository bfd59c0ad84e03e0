// Long: the one place where what a phase wishes, what runs, and what is told of it meet.

import { setTimeout as delay } from 'node:timers/promises';
import {
  type KeptConflicts,
  type MigrationData,
  type MigrationSync as MigrationSyncEvidence,
  type Offset,
  type ParkedKey,
  type ParkingResult,
  type RecopyResult,
  reasonOf,
  type RepairResult,
  StranglerError,
  type SyncState,
  type ThrottleLimits,
  throttleSchema,
  type Verification,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import { etaMs, type Progress } from './backfill.js';
import type { ChangeSource, CapturedTable } from './change-source.js';
import type { Database } from './connect.js';
import { createCopyDesk, type CopyDesk } from './copy-desk.js';
import { chooseServer, storedOffset } from './choose-server.js';
import { isFenced, isRetryable } from './database-errors.js';
import { dropCopy, finishDrop, forgetBegun } from './drop-copy.js';
import { notSyncing, streamFenced } from './errors.js';
import type { FlowClock } from './flow-clock.js';
import { keptConflicts } from './kept-conflicts.js';
import { createLag } from './lag.js';
import type { Flow } from './flow.js';
import { runPipeline } from './pipeline.js';
import type { PipelineObserver, PipelineOptions } from './pipeline-options.js';
import { namesOf } from './pair-names.js';
import { ownLog } from './own-log.js';
import { createParkingDesk, type ParkingDesk } from './parking-desk.js';
import type { RecopyWish } from './recopy.js';
import type { ParkingWish } from './repair.js';
import type { RepairWish } from './repair-drift.js';
import type { StopPoints } from './stop-points.js';
import { createVerifyDesk, type Running, type VerifyDesk } from './verify-desk.js';
import type { VerifyWish } from './verify.js';
import { HEARTBEAT_MS } from './watermarks.js';

export type MigrationSyncOptions = {
  readonly name: string;
  readonly from: Database;
  /** Other servers with the source's database, tried in order when it is lost. */
  readonly failover?: readonly string[];
  readonly to: Database;
  readonly data: MigrationData;
  readonly log: Logger;
  readonly clock: () => number;
  readonly flowClock: FlowClock;
  /** Told until when, by the flow clock, everything is in the target; null when that can no longer be said. */
  readonly onAppliedUntil: (until: number | null) => void;
  readonly random: () => number;
  readonly stopPoints: StopPoints;
  /** Keys that may be parked; 100 when left out. */
  readonly maxParkedKeys?: number;
  /** Share of the written keys that are compared soon after; none when left out. */
  readonly inlineShare?: number;
  /** When the copy pauses; the plan's defaults when left out. */
  readonly throttle?: ThrottleLimits;
  readonly sourceOf?: (captured: readonly CapturedTable[]) => ChangeSource;
  /** Called before each start of the flow; answers the stream whose echoes are left out, where there is one. */
  readonly prepare?: () => Promise<Pick<PipelineOptions, 'echoesOf'>>;
} & Pick<PipelineOptions, 'echoesOf' | 'beginsEqual' | 'isHandedOver' | 'tripwire'>;

/** What the phase of the migration asks for; `hold` neither runs nor drops, `forget` leaves what was written and forgets the rest. */
export type Wish = 'run' | 'drop' | 'forget' | 'hold';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;
const MAX_PARKED_KEYS = 100;

/** The data of one migration, with a wish that may change at any moment. */
export class MigrationSync {
  readonly #options: MigrationSyncOptions;
  #lag = createLag(HEARTBEAT_MS);
  #wish: Wish = 'hold';
  #work: { readonly end: AbortController; readonly done: Promise<void> } | undefined;
  #state: SyncState = 'idle';
  #problem: string | null = null;
  #progress: ReadonlyMap<string, Progress> = new Map();
  /** Attempts that have failed since something was applied. */
  #failures = 0;
  #startedAt = 0;
  #copiedBefore = 0;
  #offset: Offset | undefined;
  #applied = { transactions: 0, rows: 0 };
  #flow: Flow | undefined;
  readonly #parking: ParkingDesk;
  readonly #copy: CopyDesk;
  readonly #verifications: VerifyDesk;
  /** The source as it was last connected to: after a failover on another server. */
  #from: Database;

  constructor(options: MigrationSyncOptions) {
    this.#options = options;
    this.#parking = createParkingDesk(options.name, options.log);
    this.#copy = createCopyDesk(options.name, options);
    this.#verifications = createVerifyDesk(options.name, options);
    this.#from = options.from;
  }

  /** Resolves when what went on before has ended; what is wished now goes on by itself. */
  async wish(wish: Wish): Promise<void> {
    if (wish === this.#wish) return;
    this.#wish = wish;
    await this.#endWork();
    // Before anything is dropped: what was said of the copy holds no longer.
    this.#options.onAppliedUntil(null);
    this.#problem = null;
    if (wish === 'run') this.#start((signal) => this.#run(signal));
    if (wish === 'drop' || wish === 'forget') this.#start((signal) => this.#drop(wish, signal));
  }

  async stop(): Promise<void> {
    this.#wish = 'hold';
    await this.#endWork();
  }

  /** Runs a verification, or joins the one that runs. Throws MIGRATION_NOT_SYNCING. */
  async verify(wish: VerifyWish = {}): Promise<Verification> {
    return this.#verifications.verify(wish, this.running());
  }

  /** Repairs what verifications have found to differ. Throws MIGRATION_NOT_SYNCING. */
  async repair(wish: RepairWish): Promise<RepairResult> {
    return this.#verifications.repair(wish, this.running());
  }

  /** The parked keys, oldest first. */
  parked(): readonly ParkedKey[] {
    return this.#parking.keys();
  }

  /** Repairs or gives up parked keys. Throws MIGRATION_NOT_SYNCING and KEY_NOT_PARKED. */
  settleParked(wish: ParkingWish): Promise<ParkingResult> {
    return this.#parking.settle(wish, () => this.#tailing());
  }

  /** The newest conflicts, as the target keeps them. */
  conflicts(): Promise<KeptConflicts> {
    return keptConflicts(this.#options.to, this.#options.name);
  }

  /** Copies a table or a range of it once more. Throws MIGRATION_NOT_SYNCING, TABLE_NOT_MAPPED, KEY_INVALID and RECOPY_RUNNING. */
  async recopy(wish: RecopyWish): Promise<RecopyResult> {
    return this.#copy.recopy(wish, this.#tailing());
  }

  /** The flow, while nothing is left to copy. Throws MIGRATION_NOT_SYNCING. */
  running(): Running {
    const [flow, work] = [this.#tailing(), this.#work];
    if (!work) throw notSyncing(this.#options.name, this.#state);
    return { flow, from: this.#from, signal: work.end.signal };
  }

  #tailing(): Flow {
    if (this.#flow && this.#state === 'tailing') return this.#flow;
    throw notSyncing(this.#options.name, this.#state);
  }

  evidence(now: number): MigrationSyncEvidence {
    const tables = namesOf(this.#options.data).map((table) => {
      const { copied, total, done } = this.#progress.get(table) ?? { copied: 0, total: 0, done: false };
      // Rows that came after they were counted are copied too.
      return { table, copied, total: done ? copied : Math.max(copied, total), done };
    });
    const isLive = this.#state === 'backfilling' || this.#state === 'tailing';
    return {
      state: this.#state,
      problem: this.#problem,
      backfill: {
        tables,
        etaMs:
          this.#state === 'backfilling' ? etaMs(tables, this.#copiedBefore, now - this.#startedAt) : null,
        throttled: this.#copy.throttled(),
      },
      ...this.#copy.evidence(),
      lagMs: isLive ? this.#lag.newest(this.#options.flowClock.now()) : null,
      lagMsP99: isLive ? this.#lag.p99(this.#options.flowClock.now()) : null,
      offset: this.#offset?.text ?? null,
      applied: this.#applied,
      ...this.#verifications.evidence(),
      parked: this.#parking.evidence(),
    };
  }

  #start(work: (signal: AbortSignal) => Promise<void>): void {
    const end = new AbortController();
    this.#work = { end, done: work(end.signal) };
  }

  async #endWork(): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    work?.end.abort(new Error('ended'));
    await work?.done;
    this.#state = this.#state === 'stopped' && this.#wish === 'hold' ? 'stopped' : 'idle';
  }

  /** Until it is ended or meets something that does not pass by itself. */
  async #run(signal: AbortSignal): Promise<void> {
    this.#state = 'backfilling';
    // Of an earlier time, before the other stream ran, nothing holds any longer.
    this.#lag = createLag(HEARTBEAT_MS);
    this.#verifications.forget();
    await this.#insist(signal, async () => {
      const { to, name } = this.#options;
      await finishDrop(to, name, this.#options.data, signal);
      this.#from = await this.#chosen();
      const prepared = await this.#options.prepare?.();
      await runPipeline(
        {
          ...this.#options,
          ...prepared,
          from: this.#from,
          stream: name,
          maxParkedKeys: this.#options.maxParkedKeys ?? MAX_PARKED_KEYS,
          throttle: this.#options.throttle ?? throttleSchema.parse(undefined),
          lagMs: () => this.#lag.newest(this.#options.flowClock.now()),
          sourceOf: (captured) => this.#source(captured),
          observer: this.#observer(),
        },
        signal,
      );
    });
  }

  async #drop(wish: 'drop' | 'forget', signal: AbortSignal): Promise<void> {
    const { to, name, data } = this.#options;
    this.#state = 'dropping';
    await this.#insist(signal, () =>
      wish === 'drop' ? dropCopy(to, name, data, signal) : forgetBegun(to, name),
    );
    if (signal.aborted || this.#problem !== null) return;
    this.#state = 'idle';
    this.#progress = new Map();
    this.#offset = undefined;
    this.#applied = { transactions: 0, rows: 0 };
    this.#verifications.forget();
    this.#parking.told(new Map());
    this.#copy.forget();
  }

  /** Tries again while the failure may pass by itself. */
  async #insist(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
    const { log, name } = this.#options;
    while (!signal.aborted) {
      try {
        await attempt();
        return;
      } catch (thrown) {
        const error = isFenced(thrown) ? streamFenced(name, thrown) : thrown;
        this.#flow = undefined;
        if (signal.aborted) return;
        if (isRetryable(error)) {
          this.#tellRetry(error);
          const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
          await delay(wait * (0.5 + this.#options.random()), undefined, { signal }).catch(() => {});
        } else {
          this.#state = 'stopped';
          this.#problem = reasonOf(error);
          log.error(
            { migration: name, ...(error instanceof StranglerError ? { code: error.code } : { err: error }) },
            `migration "${name}" has stopped: ${reasonOf(error)}`,
          );
          return;
        }
      } finally {
        this.#flow = undefined;
        this.#copy.ended();
      }
    }
  }

  #tellRetry(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#problem !== reason)
      this.#options.log.warn(
        { migration: this.#options.name },
        `migration "${this.#options.name}" tries again: ${reason}`,
      );
    this.#problem = reason;
  }

  async #chosen(): Promise<Database> {
    const { from, to, name, failover = [], log } = this.#options;
    if (failover.length === 0) return from;
    // The one that served last goes first: a server that comes back is not gone back to.
    const urls = [this.#from.url, from.url, ...failover];
    const others = [...new Set(urls)].slice(1);
    const chosen = await chooseServer(this.#from, others, await storedOffset(to, name));
    if (chosen.url !== this.#from.url)
      log.warn(
        { migration: name },
        `migration "${name}" goes on at another server of database "${from.name}"`,
      );
    return chosen;
  }

  #source(captured: readonly CapturedTable[]): ChangeSource {
    const { name, to, sourceOf } = this.#options;
    const from = this.#from;
    return sourceOf?.(captured) ?? ownLog({ name, from, to, data: this.#options.data }, captured);
  }

  #observer(): PipelineObserver {
    return {
      ...this.#copy.observer,
      onProgress: (progress) => {
        const isDone = [...progress.values()].every(({ done }) => done);
        if (this.#startedAt === 0 || this.#progress.size === 0) {
          this.#startedAt = this.#options.clock();
          this.#copiedBefore = [...progress.values()].reduce((sum, { copied }) => sum + copied, 0);
        }
        if (isDone && this.#state !== 'tailing')
          this.#options.log.info(
            { migration: this.#options.name },
            `migration "${this.#options.name}" is copied and tailing`,
          );
        this.#progress = new Map(progress);
        this.#state = isDone ? 'tailing' : 'backfilling';
      },
      onApplied: ({ offset, transactions, rows }) => {
        this.#problem = null;
        this.#failures = 0;
        this.#offset = offset;
        this.#applied = {
          transactions: this.#applied.transactions + transactions,
          rows: this.#applied.rows + rows,
        };
      },
      onHeartbeat: (writtenAt, committedAt, isOurs) => {
        this.#lag.applied(writtenAt, committedAt);
        // While rows are still being copied, what was committed before a heartbeat may yet have to come with them.
        // A parked row may be the one that a client has just written.
        const isWhole = this.#state === 'tailing' && this.#parking.keys().length === 0;
        if (isOurs && isWhole) this.#options.onAppliedUntil(writtenAt);
      },
      onRetry: (error) => this.#tellRetry(error),
      onParked: (parked) => this.#parking.told(parked),
      onAddedColumns: ({ table, columns }) =>
        this.#options.log.warn(
          { migration: this.#options.name, table, columns },
          `table "${table}" has got columns that the mapping leaves out: "${columns.join('", "')}"`,
        ),
      onFlow: (flow) => {
        this.#flow = flow;
        const signal = this.#work?.end.signal;
        const isTailing = () => this.#state === 'tailing';
        if (signal) this.#verifications.follow({ flow, from: this.#from, signal }, isTailing);
      },
    };
  }
}
