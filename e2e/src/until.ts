import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the answer is something; throws with what was awaited when the time is up. */
export async function until<T>(
  what: string,
  milliseconds: number,
  ask: () => Promise<T | undefined | false>,
  everyMs = 100,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${milliseconds} ms`);
    await sleep(everyMs);
  }
}
