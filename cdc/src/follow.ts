import type { Offset, SourceTransaction } from '@strangler/contracts';
import type { Announced } from './announced.js';
import type { Applier } from './apply.js';
import type { Chunk, Progress } from './backfill.js';
import type { ChangeSource } from './change-source.js';
import type { FlowClock } from './flow-clock.js';
import { inBatches } from './in-batches.js';
import { memoryTaken } from './memory-taken.js';
import type { PipelineObserver } from './pipeline-options.js';
import { addToProgress } from './progress.js';
import type { Repair } from './repair.js';
import type { Scanned } from './scan.js';
import type { Stands } from './stands.js';
import { isBy, type Watermarks } from './watermarks.js';

/** Memory that the changes of one target statement batch may take; their rows and statements take about as much again. */
const BYTES_A_BATCH = 4_000_000;

type Committed = Omit<Scanned, 'writes' | 'seen'> & { readonly transactions: number };

export type FollowOptions = {
  readonly changes: ChangeSource;
  readonly start: Offset;
  readonly applier: Applier;
  readonly scan: (transactions: readonly SourceTransaction[]) => Scanned;
  readonly stands: Stands;
  /** Whether how far the other stream was has to be kept. */
  readonly keepsSeen: boolean;
  readonly progress: Map<string, Progress>;
  readonly chunks: Announced<Chunk>;
  readonly repairs: Announced<Repair>;
  readonly watermarks: Pick<Watermarks, 'met'>;
  readonly clock: FlowClock;
  readonly observer: PipelineObserver;
  /** Aborted when applying has failed, so that the log is let go of at once. */
  readonly end: AbortController;
};

/** Applies the log from `start` on, batch by batch, and tells when what of it is committed; until it is aborted. */
export async function follow(options: FollowOptions, running: AbortSignal): Promise<void> {
  const { applier, observer, progress, clock, end } = options;
  /** What was applied in the target transaction that is still open. */
  const uncommitted: Committed[] = [];
  let keptSeen: string | undefined;
  let applying: Promise<void> = Promise.resolve();
  for await (const ready of inBatches(
    options.changes.stream(options.start, running),
    BYTES_A_BATCH,
    memoryTaken,
  ))
    for (const { transactions, stand } of options.stands.cut(ready)) {
      // The next batch is mapped while the target writes the one before it.
      const scanned = options.scan(transactions);
      await applying;
      applying = applyAll(transactions, scanned).catch((error: unknown) => {
        // The log is let go of at once, not when it has its next transaction.
        end.abort(error);
        throw error;
      });
      // It is awaited when the next batch has come.
      applying.catch(() => {});
      // What comes in slowly groups itself while the batch before it is written.
      if (transactions.reduce((sum, each) => sum + memoryTaken(each), 0) < BYTES_A_BATCH) await applying;
      if (stand) {
        await applying;
        await stand();
      }
    }
  await applying;
  end.signal.throwIfAborted();

  async function applyAll(
    transactions: readonly SourceTransaction[],
    { writes, seen, ...scanned }: Scanned,
  ): Promise<void> {
    const last = transactions.at(-1);
    if (!last) return;
    const isContinued = last.isContinued ?? false;
    const ended = transactions.filter((transaction) => !transaction.isContinued).length;
    const isNews = options.keepsSeen && seen?.text !== keptSeen;
    if (isNews) keptSeen = seen?.text;
    const batch = {
      writes,
      seen: isNews ? seen : undefined,
      progress: scanned.progress,
      transactions: ended,
      isContinued,
    };
    await applier.apply({ ...batch, offset: last.next, transactionId: last.id }, running);
    uncommitted.push({ ...scanned, transactions: ended });
    if (isContinued) return;
    // First, for with a key parked a heartbeat no longer says that everything is there.
    observer.onParked(applier.parked);
    for (const part of uncommitted.splice(0)) onCommitted(part, last.next);
  }

  function onCommitted(part: Committed, offset: Offset): void {
    observer.onApplied({ offset, transactions: part.transactions, rows: part.rows });
    const first = part.progress.filter(({ again }) => again === undefined);
    for (const update of first) addToProgress(progress, update);
    if (first.length > 0) observer.onProgress(progress);
    for (const chunk of part.chunks) options.chunks.applied(chunk);
    for (const repair of part.repairs) options.repairs.applied(repair);
    for (const watermark of part.watermarks) {
      if (watermark.kind === 'heartbeat')
        observer.onHeartbeat(watermark.at, clock.now(), isBy(clock, watermark));
      options.watermarks.met(watermark);
    }
  }
}
