import { setTimeout as delay } from 'node:timers/promises';
import type { ThrottleLimits } from '@strangler/contracts';
import type { ServerLoad } from './server-load.js';

const LOOK_MS = 1_000;
/** Share of a limit at which what was over it counts as calm again; without it the copy would start and stop at the limit. */
const CALM = 0.75;

export type ThrottleOptions = {
  readonly limits: ThrottleLimits;
  /** Of the stream, null before it is known. */
  readonly lagMs: () => number | null;
  /** The databases by their names in the plan. */
  readonly servers: Readonly<Record<string, () => Promise<ServerLoad>>>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told why the copy pauses, at every look; null when it goes on. */
  readonly onReason: (reason: string | null) => void;
};

/** Holds the copy of tables back while the stream is behind or a server is busy; looks once a second at most, and only when asked. */
export type Throttle = {
  /** Resolves when the copy may go on. */
  pass(signal: AbortSignal): Promise<void>;
};

type Measure = {
  readonly id: string;
  readonly limit: keyof ThrottleLimits;
  readonly subject: string;
  readonly value: number;
};

/** After gh-ost's throttler: any one reason is enough, and it is shown. */
export function createThrottle(options: ThrottleOptions): Throttle {
  const { limits, now, onReason, sleep = (ms, signal) => delay(ms, undefined, { signal }) } = options;
  let over: ReadonlySet<string> = new Set();
  let lookedAt: number | undefined;

  async function measures(): Promise<readonly Measure[]> {
    const lag = options.lagMs();
    const found: Measure[] =
      lag === null
        ? []
        : [
            {
              id: 'lag',
              limit: 'maxLagMs',
              subject: `the stream is ${Math.round(lag)} ms behind its source`,
              value: lag,
            },
          ];
    for (const [database, read] of Object.entries(options.servers)) {
      const { threadsRunning, rowLockWaits, historyLength } = await read();
      const add = (limit: keyof ThrottleLimits, value: number | null, what: string) => {
        if (value === null) return;
        const subject = `database "${database}" has ${value} ${what}`;
        found.push({ id: `${database} ${limit}`, limit, value, subject });
      };
      add('maxThreadsRunning', threadsRunning, 'threads running');
      add('maxRowLockWaits', rowLockWaits, 'statements waiting for rows');
      add('maxHistoryLength', historyLength, 'row versions to purge');
    }
    return found.filter(({ limit }) => limits[limit] > 0);
  }

  async function look(): Promise<string | null> {
    const next = new Map<string, string>();
    for (const { id, limit, subject, value } of await measures()) {
      const most = limits[limit];
      if (value > (over.has(id) ? Math.max(1, Math.floor(most * CALM)) : most))
        next.set(id, `${subject} (sync.throttle.${limit} is ${most})`);
    }
    over = new Set(next.keys());
    lookedAt = now();
    return next.size === 0 ? null : [...next.values()].join('; ');
  }

  return {
    async pass(signal) {
      if (lookedAt !== undefined && over.size === 0 && now() - lookedAt < LOOK_MS) return;
      for (;;) {
        signal.throwIfAborted();
        const reason = await look();
        onReason(reason);
        if (reason === null) return;
        await sleep(LOOK_MS, signal);
      }
    },
  };
}
