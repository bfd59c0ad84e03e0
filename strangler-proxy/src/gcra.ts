/** One request every `intervalMs`, and up to `burst` of them at once. */
export type Pace = { readonly intervalMs: number; readonly burst: number };

/**
 * The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling): all that is kept of a bucket of tokens is the time at
 * which the next request would come if they came evenly. Returns that time when the request may pass, else how long to wait.
 */
export function gcra(
  due: number | undefined,
  now: number,
  { intervalMs, burst }: Pace,
): { readonly due: number } | { readonly waitMs: number } {
  const from = Math.max(due ?? now, now);
  const waitMs = from - intervalMs * (burst - 1) - now;
  return waitMs > 0 ? { waitMs } : { due: from + intervalMs };
}
