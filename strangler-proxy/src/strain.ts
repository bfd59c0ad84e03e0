import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was since the last look, in milliseconds. */
export type LoopWatch = { read(): number; stop(): void };

/** `calm`; `strained`: what nobody waits for is left out; `overloaded`: new requests are refused. */
export type Strain = 'calm' | 'strained' | 'overloaded';

/** The same load must not switch back and forth: a level is left at half of what enters it. */
export function strainOf(before: Strain, delayMs: number, limitMs: number): Strain {
  if (delayMs > limitMs || (before === 'overloaded' && delayMs > limitMs / 2)) return 'overloaded';
  return delayMs > limitMs / 2 || (before !== 'calm' && delayMs > limitMs / 4) ? 'strained' : 'calm';
}

export type FollowingStrain = { readonly now: () => Strain; stop(): void };

const LOOK_EVERY_MS = 250;

/** Looks again and again, until it is stopped. */
export function followStrain({
  limitMs,
  sleep,
  watchLoop: watch,
}: {
  readonly limitMs: number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watchLoop: () => LoopWatch;
}): FollowingStrain {
  const stopping = new AbortController();
  let strain: Strain = 'calm';
  const follow = async (): Promise<void> => {
    const loop = watch();
    while (!stopping.signal.aborted) {
      await sleep(LOOK_EVERY_MS, stopping.signal);
      strain = strainOf(strain, loop.read(), limitMs);
    }
    loop.stop();
  };
  void follow();
  return { now: () => strain, stop: () => stopping.abort() };
}

const RESOLUTION_MS = 10;

/** Node's own monitor: a timer of 10 ms and how late it came, as a mean, so that one collection of garbage is no overload. */
export function watchLoop(): LoopWatch {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  return {
    read() {
      const { mean } = monitor;
      monitor.reset();
      return Number.isNaN(mean) ? 0 : Math.max(0, mean / 1e6 - RESOLUTION_MS);
    },
    stop: () => void monitor.disable(),
  };
}
