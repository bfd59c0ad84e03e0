import { type Case, pathsOf } from './bench-plan.js';
import type { Contender } from './contender.js';
import { openCollector } from './collect-garbage.js';
import { rssKb } from './cpu-time.js';
import { load } from './load.js';
import { slope } from './median.js';

export type Soaked = { readonly requests: number; readonly slopeKbPer100k: number | null };

/**
 * Sends that many requests and looks at the process's memory after each slice, its garbage collected. The first half counts as
 * growing warm: V8 sizes its heap by what it is asked for.
 */
export async function soak(
  ours: Contender,
  of: Case,
  order: { cookies: readonly string[]; requests: number; secondsOfSlice: number; at: string },
): Promise<Soaked> {
  const points: [number, number][] = [];
  let requests = 0;
  const collector =
    ours.inspectPort === undefined ? undefined : await openCollector(ours.pid, ours.inspectPort);
  // A proxy that answers nothing must not keep the soak going for ever.
  for (let slices = 0; requests < order.requests && slices < 1_000; slices++) {
    const { cookies, secondsOfSlice: seconds } = order;
    requests += (await load({ url: ours.url, of, paths: pathsOf(of), cookies, seconds }, order.at)).requests;
    await collector?.collect();
    const memory = rssKb(ours.pid);
    if (memory === null) break;
    points.push([requests / 100_000, memory]);
  }
  collector?.close();
  const warm = points.slice(Math.floor(points.length / 2));
  return { requests, slopeKbPer100k: warm.length < 2 ? null : slope(warm) };
}
