/** How many clean comparisons there were before some times: of several proxies, only what came after the latest mismatch of all may count. */
export type CleanMarks = readonly (readonly [at: string, clean: number])[];

const FIRST_INTERVAL_MS = 1_000;
const MOST_MARKS = 32;

/** Notes a count now and then: a bounded list over any time, finer the shorter that is. */
export function createCleanMarks() {
  let interval = FIRST_INTERVAL_MS;
  let marks: { readonly at: number; readonly clean: number }[] = [];
  return {
    note(at: number, clean: number): void {
      const last = marks.at(-1);
      if (last && at - last.at < interval) return;
      marks.push({ at, clean });
      if (marks.length <= MOST_MARKS) return;
      marks = marks.filter((_, index) => index % 2 === 0);
      interval *= 2;
    },
    clear(): void {
      marks = [];
      interval = FIRST_INTERVAL_MS;
    },
    read: (): CleanMarks => marks.map(({ at, clean }) => [new Date(at).toISOString(), clean]),
  };
}
