import type { Logger } from 'pino';
import { reasonOf, type WatermarkAnswer, type WatermarkSource } from '@strangler/contracts';
import { measure, type SyncTime } from './sync-time.js';

/** How far the copies are, and sync's clock that says so: one answer, never parts of two. */
export type Watermarks = {
  readonly time: SyncTime | undefined;
  readonly migrations: WatermarkAnswer['migrations'];
};

export type FollowingWatermarks = {
  readonly current: () => Watermarks;
  start(): void;
  stop(): Promise<void>;
};

export type FollowWatermarksOptions = {
  /** Undefined: no migration of the plan has a copy. */
  readonly source: WatermarkSource | undefined;
  readonly log: Logger;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const RETRY_MS = 500;
const NOTHING_KNOWN: Watermarks = { time: undefined, migrations: {} };

/** Asks sync again and again. What was known last stays when it is lost: watermarks only grow, and clocks run on. */
export function followWatermarks({ source, log, now, sleep }: FollowWatermarksOptions): FollowingWatermarks {
  const ending = new AbortController();
  let current = NOTHING_KNOWN;
  let running: Promise<void> | undefined;
  async function run(asked: WatermarkSource): Promise<void> {
    let after = 0;
    let isLost = false;
    while (!ending.signal.aborted) {
      try {
        const sentAt = now();
        const answer = await asked.ask(after, ending.signal);
        current = { time: measure(answer, sentAt, now()), migrations: answer.migrations };
        after = answer.sequence;
        if (isLost) log.info('sync is back: reads follow the writes of their clients again');
        isLost = false;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (!isLost)
          log.warn(
            `sync cannot be asked how far the copies are (${reasonOf(error)}): clients that write read from legacy for as long as the plan's ceiling`,
          );
        isLost = true;
        await sleep(RETRY_MS, ending.signal);
      }
    }
  }
  return {
    current: () => current,
    start() {
      if (source) running = run(source);
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
