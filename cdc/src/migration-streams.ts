import {
  type HandedOver,
  type HandoverWish,
  isSyncedFromLegacy,
  isSyncedFromService,
  type MigrationData,
  type MigrationSync as Evidence,
  type Phase,
  type Plan,
  type ReachWish,
  type SelfTested,
  type SelfTestWish,
  type Stream,
  type TailCompared,
  type TailWish,
} from '@strangler/contracts';
import { chooseServer } from './choose-server.js';
import type { CapturedTable } from './change-source.js';
import { type Database, databaseOf } from './connect.js';
import { handoverRunning, selfTestByKafka, streamNotRunning } from './errors.js';
import { endOther, epochOf, noteHandover } from './handover.js';
import { MigrationSync, type MigrationSyncOptions } from './migration-sync.js';
import { ownLog, type StreamEnds } from './own-log.js';
import { plannedSource } from './planned-source.js';
import { reversedData } from './reversed-data.js';
import { testStream } from './stream-self-test.js';
import { compareTail } from './tail.js';

export type MigrationStreamsOptions = Pick<
  MigrationSyncOptions,
  'log' | 'clock' | 'flowClock' | 'onAppliedUntil' | 'random' | 'stopPoints'
> & { readonly plan: Plan; readonly name: string; readonly data: MigrationData };

/** The two streams of a migration, of which its phase lets one run. */
export type MigrationStreams = {
  /** Resolves when what the phase ends has ended; what it begins goes on by itself. Undefined: the ledger has never heard of the migration, and all is left as it is. */
  follow(phase: Phase | undefined): Promise<void>;
  stop(): Promise<void>;
  /** The one that runs, or was the last to. */
  current(): MigrationSync;
  evidence(now: number): Evidence;
  /** Resolves when the target has everything that was committed in the source before the call. Throws STREAM_NOT_RUNNING, MIGRATION_NOT_SYNCING and APPLY_BEHIND. */
  reach(wish: ReachWish): Promise<void>;
  /** Throws STREAM_NOT_RUNNING, MIGRATION_NOT_SYNCING and TAIL_LATE. */
  tail(wish: TailWish): Promise<TailCompared>;
  /** Throws HANDOVER_RUNNING, HANDOVER_STALE and MIGRATION_NOT_SYNCING. */
  handOver(wish: HandoverWish): Promise<HandedOver>;
  selfTest(wish: SelfTestWish, signal: AbortSignal): Promise<SelfTested>;
};

const OTHER = { there: 'back', back: 'there' } as const;
export const backNameOf = (migration: string): string => `${migration}.back`;

export function migrationStreams(options: MigrationStreamsOptions): MigrationStreams {
  const { plan, name, data, clock, stopPoints } = options;
  const database = (of: string): Database => databaseOf(of, plan.databases[of] as string);
  const ends: Record<Stream, StreamEnds> = {
    there: { name, data, from: database(data.from), to: database(data.to) },
    back: {
      name: backNameOf(name),
      data: reversedData(data),
      from: database(data.to),
      to: database(data.from),
    },
  };
  // Where both sides write, a row of the other stream is no echo to be left out, but what was seen by then.
  const isByBoth = data.tables.some(({ writers }) => writers === 'both');
  const planned = plannedSource(plan, name, data);
  const tellsEchoes = (stream: Stream) => !isByBoth && (stream === 'back' || planned.sourceOf === undefined);
  const failover = (stream: Stream) => plan.sync.failover[ends[stream].from.name] ?? [];
  const syncOf = (stream: Stream, more: Partial<MigrationSyncOptions>) =>
    new MigrationSync({
      ...options,
      ...ends[stream],
      failover: failover(stream),
      maxParkedKeys: plan.sync.parking.maxKeys,
      throttle: plan.sync.throttle,
      inlineShare: plan.sync.verify.inline,
      async prepare() {
        const hasOther = await endOther(ends[stream], ends[OTHER[stream]]);
        return hasOther && tellsEchoes(stream) ? { echoesOf: ends[OTHER[stream]].name } : {};
      },
      ...more,
    });
  const syncs: Record<Stream, MigrationSync> = {
    there: syncOf('there', planned),
    // What is read of the service is never asked of legacy, whose clients need no watermark.
    back: syncOf('back', { beginsEqual: true, isHandedOver: true, onAppliedUntil: () => {} }),
  };
  let current: Stream = 'there';
  let phase: Phase | undefined;

  const running = (stream: Stream) => {
    if (stream !== current) throw streamNotRunning(name, stream, current);
    return syncs[stream].running();
  };
  return {
    async follow(wanted) {
      phase = wanted;
      if (phase !== undefined && phase !== 'retired') current = isSyncedFromService(phase) ? 'back' : 'there';
      if (phase === 'retired') current = 'back';
      if (phase === 'legacy')
        return void (await Promise.all([syncs.there.wish('drop'), syncs.back.wish('forget')]));
      // One ends before the other begins: both at once never write.
      await syncs[OTHER[current]].wish('hold');
      const runs = phase !== undefined && (isSyncedFromLegacy(phase) || isSyncedFromService(phase));
      await syncs[current].wish(runs ? 'run' : 'hold');
    },
    async stop() {
      await Promise.all([syncs.there.stop(), syncs.back.stop()]);
    },
    current: () => syncs[current],
    evidence: (now) => ({ stream: current, ...syncs[current].evidence(now) }),
    async reach({ stream, deadlineMs }) {
      const { flow, signal } = running(stream);
      await flow.reach(signal, deadlineMs);
    },
    async tail({ stream, rows, deadlineMs }) {
      const { flow, from, signal } = running(stream);
      const { to, name: ofStream } = ends[stream];
      return compareTail({ stream: ofStream, from, to, flow, rows, deadlineMs, clock }, signal);
    },
    async handOver({ to, epoch }) {
      const own = ends[to];
      const isAgain = (await epochOf(own.to, own.name)) === epoch;
      if (!isAgain && to === current) throw handoverRunning(name, to);
      if (!isAgain) {
        const { flow, signal } = syncs[current].running();
        // What was not applied yet would lie before the place, and be carried by neither.
        await flow.reach(signal);
      }
      const from = isAgain ? own.from : await chooseServer(own.from, failover(to), undefined);
      const offset = await noteHandover({
        ends: { ...own, from },
        epoch,
        sourceOf: (captured: readonly CapturedTable[]) =>
          (to === 'there' ? planned.sourceOf?.(captured) : undefined) ?? ownLog({ ...own, from }, captured),
        tellsEchoes: tellsEchoes(to),
        stopPoints,
      });
      return { offset: offset.text };
    },
    async selfTest({ stream }, signal) {
      const readsLog = planned.sourceOf === undefined;
      const tested = await testStream(
        { plan, ends: ends[stream], other: ends[OTHER[stream]], readsLog: stream === 'back' || readsLog },
        signal,
      );
      if (readsLog) return tested;
      // Nobody has tried the way there and back and there again by a topic in which echoes are not told.
      return { ok: false, problems: [...tested.problems, selfTestByKafka(name)] };
    },
  };
}
