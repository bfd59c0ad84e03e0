import type { InFlightLimits, Plan, Upstream } from '@strangler/contracts';
import { type Admission, createAdmission } from './admission.js';
import { createKept, type Kept } from './kept.js';
import { createPlaces, type Places } from './places.js';
import { createRateLimits, type Dues, rateKey } from './rate-limits.js';
import { followStrain, type FollowingStrain, type LoopWatch } from './strain.js';

/** An admission, and how to let go of what it shares with those of other plans. */
export type OpenAdmission = { readonly admission: Admission; letGo(): Promise<void> };

export type Admissions = {
  open(plan: Pick<Plan, 'proxy' | 'upstreams' | 'migrations'>): OpenAdmission;
  /** Who waits for a place: at the proxy (`proxy`) or at an upstream. */
  waiting(): Readonly<Record<string, number>>;
};

export type AdmissionsOptions = {
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Asked for only when a plan says `eventLoopDelayMs`. */
  readonly watchLoop: () => LoopWatch;
};

const DEFAULT_QUEUE = 64;
const DEFAULT_QUEUE_MS = 1_000;
const NEVER_STRAINED: FollowingStrain = { now: () => 'calm', stop() {} };

/**
 * Admissions of plans that come one after the other. What two plans limit in the same words they count together: a plan that is loaded
 * anew forgives nobody, and a request of the plan before still has its place. What is limited otherwise is counted from there.
 */
export function createAdmissions({ now, sleep, watchLoop }: AdmissionsOptions): Admissions {
  const allDues = createKept<Dues>(() => {});
  const lines = new Set<{ readonly at: string; readonly places: Places }>();
  const allPlaces = createKept<{ readonly at: string; readonly places: Places }>(
    (line) => void lines.delete(line),
  );
  const strains = createKept<FollowingStrain>((following) => following.stop());

  return {
    open({ proxy, upstreams, migrations }) {
      const taken: (() => Promise<void>)[] = [];
      const take = <T>(kept: Kept<T>, key: string, open: () => T): T => {
        taken.push(() => kept.letGo(key));
        return kept.take(key, open);
      };
      const placesFor = (kind: 'here' | 'there', at: string, given: InFlightLimits): Places | undefined => {
        const { maxInFlight: most, queue = DEFAULT_QUEUE, queueMs = DEFAULT_QUEUE_MS } = given;
        if (most === undefined) return undefined;
        return take(allPlaces, JSON.stringify([kind, at, most, queue, queueMs]), () => {
          const line = { at, places: createPlaces({ most, queue, queueMs, sleep }) };
          lines.add(line);
          return line;
        }).places;
      };
      const { limits, overload, rateLimits, identity } = proxy;
      const { eventLoopDelayMs } = overload;
      const duesOf = (key: string) => take(allDues, key, () => new Map());
      const rates = createRateLimits({ limits: rateLimits, identity, now, duesOf });
      // All at once: what is taken at the first request of a route would have been forgotten until then.
      for (const { match, rateLimit } of Object.values(migrations).flatMap(({ routes }) => routes))
        if (rateLimit) duesOf(rateKey(rateLimit, match));
      const there = Object.entries(upstreams).flatMap(([name, upstream]): [string, Places][] => {
        const places = placesFor('there', name, upstream);
        return places ? [[name, places]] : [];
      });
      const following =
        eventLoopDelayMs === undefined
          ? NEVER_STRAINED
          : take(strains, String(eventLoopDelayMs), () =>
              followStrain({ limitMs: eventLoopDelayMs, sleep, watchLoop }),
            );
      return {
        admission: createAdmission({
          limits,
          overload,
          rates,
          here: placesFor('here', 'proxy', overload),
          there: new Map(there),
          strain: following.now,
        }),
        async letGo() {
          await Promise.all(taken.map((each) => each()));
        },
      };
    },
    waiting() {
      const counts: Record<string, number> = {};
      for (const { at, places } of lines) counts[at] = (counts[at] ?? 0) + places.waiting();
      return counts;
    },
  };
}

/** What of an upstream its connections hang on: another limit of places needs no other connections. */
export const withoutPlaces = ({
  maxInFlight: _maxInFlight,
  queue: _queue,
  queueMs: _queueMs,
  ...others
}: Upstream): Omit<Upstream, keyof InFlightLimits> => others;
