/** How often something happened within the last `windowMs`, to a tenth of it. */
export type RollingCount = {
  add(at: number): void;
  sum(at: number): number;
  clear(): void;
};

const BUCKETS = 10;

export function createRollingCount(windowMs: number): RollingCount {
  const counts = Array.from({ length: BUCKETS }, () => 0);
  const width = windowMs / BUCKETS;
  let newest = 0;
  const turnTo = (at: number): number => {
    // A clock that goes back counts into the newest bucket.
    const bucket = Math.max(newest, Math.floor(at / width));
    if (bucket - newest >= BUCKETS) counts.fill(0);
    else for (let stale = newest + 1; stale <= bucket; stale++) counts[stale % BUCKETS] = 0;
    newest = bucket;
    return bucket % BUCKETS;
  };
  return {
    add(at) {
      const bucket = turnTo(at);
      counts[bucket] = (counts[bucket] as number) + 1;
    },
    sum(at) {
      turnTo(at);
      return counts.reduce((sum, count) => sum + count, 0);
    },
    clear: () => void counts.fill(0),
  };
}
