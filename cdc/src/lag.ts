const WINDOW_MS = 600_000;

/** Milliseconds from a heartbeat's writing in the source to its commit in the target, by one clock. */
export type Lag = {
  applied(writtenAt: number, committedAt: number): void;
  /** Of the newest heartbeat; grows while the next one is overdue. Null before the first. */
  newest(now: number): number | null;
  /** 99th percentile of the last ten minutes, nearest rank. */
  p99(now: number): number | null;
};

export function createLag(heartbeatMs: number): Lag {
  let samples: { readonly at: number; readonly lag: number }[] = [];
  let last: { readonly writtenAt: number; readonly lag: number } | undefined;
  return {
    applied(writtenAt, committedAt) {
      const lag = Math.max(0, committedAt - writtenAt);
      last = { writtenAt, lag };
      samples.push({ at: committedAt, lag });
      if (samples.length > (2 * WINDOW_MS) / heartbeatMs)
        samples = samples.filter(({ at }) => at > committedAt - WINDOW_MS);
    },
    newest: (now) => (last ? Math.max(last.lag, now - last.writtenAt - heartbeatMs) : null),
    p99(now) {
      const sorted = samples
        .filter(({ at }) => at > now - WINDOW_MS)
        .map(({ lag }) => lag)
        .toSorted((a, b) => a - b);
      return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null;
    },
  };
}
