import type { InFlightLimits, Plan, StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { bodyTooLarge, overloaded, upstreamFull } from './errors.js';
import { valuesOf } from './headers.js';
import type { Route } from './match.js';
import { createPlaces, type Places } from './places.js';
import { createRateLimits } from './rate-limits.js';
import type { Refusal } from './refuse.js';
import { type LoopWatch, type Strain, strainOf } from './strain.js';

/** A request that was let in. `release` gives its places back and may be called twice. */
export type Entry = {
  /** Takes the place at another upstream in place of this one's, without waiting. */
  moveTo(upstream: string): Refusal | undefined;
  release(): void;
};

export type Admission = {
  /**
   * To be asked once for each judged request, before anything else has an effect. It is a promise only when the request has
   * to wait for a place.
   */
  admit(
    accepted: Accepted,
    route: Route | undefined,
    upstream: string,
  ): Entry | Refusal | Promise<Entry | Refusal>;
  /** The part of it that takes no place: for connections that are upgraded and stay. */
  knock(accepted: Accepted, route: Route | undefined): Refusal | undefined;
  /** The longest body of a request, counted as it comes; undefined: as long as it likes. */
  bodyBytes(route: Route | undefined): number | undefined;
  /** Whether shadows are left out, so that clients need not be refused. */
  readonly sparesShadows: () => boolean;
  /** Who waits for a place: at the proxy (`proxy`) or at an upstream. */
  waiting(): Readonly<Record<string, number>>;
  start(): void;
  stop(): void;
};

export type AdmissionOptions = {
  readonly plan: Pick<Plan, 'proxy' | 'upstreams'>;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Asked for only when the plan says `eventLoopDelayMs`. */
  readonly watchLoop: () => LoopWatch;
};

const LOOK_EVERY_MS = 250;
const RETRY_AFTER_S = 1;
// Of maxInFlight: above the first shadows are left out, until it is below the second.
const [SPARE_ABOVE, SPARE_UNTIL] = [0.8, 0.6];
const DEFAULT_QUEUE = 64;
const DEFAULT_QUEUE_MS = 1_000;

const NO_PLACE: Entry = { moveTo: () => undefined, release() {} };
const retryLater = (error: StranglerError): Refusal => ({
  error,
  headers: { 'retry-after': String(RETRY_AFTER_S) },
});

/** Who is let in: sizes, rates, places and the strain of the proxy itself, in one place for all lanes. */
export function createAdmission({ plan, now, sleep, watchLoop }: AdmissionOptions): Admission {
  const { limits, overload, rateLimits, identity } = plan.proxy;
  const rates = createRateLimits({ limits: rateLimits, identity, now });
  const placesFor = ({ maxInFlight, queue, queueMs }: InFlightLimits): Places | undefined =>
    maxInFlight === undefined
      ? undefined
      : createPlaces({
          most: maxInFlight,
          queue: queue ?? DEFAULT_QUEUE,
          queueMs: queueMs ?? DEFAULT_QUEUE_MS,
          sleep,
        });
  const here = placesFor(overload);
  const there = new Map(Object.entries(plan.upstreams).map(([name, one]) => [name, placesFor(one)]));
  const hasPlaces = here !== undefined || [...there.values()].some((each) => each !== undefined);
  const stopping = new AbortController();
  let strain: Strain = 'calm';
  let isSparing = false;

  const follow = async (limitMs: number): Promise<void> => {
    const loop = watchLoop();
    while (!stopping.signal.aborted) {
      await sleep(LOOK_EVERY_MS, stopping.signal);
      strain = strainOf(strain, loop.read(), limitMs);
    }
    loop.stop();
  };
  const knock = (accepted: Accepted, route: Route | undefined): Refusal | undefined =>
    strain === 'overloaded' ? retryLater(overloaded('eventLoopDelayMs')) : rates.take(accepted, route);
  const bodyBytes = (route: Route | undefined) => route?.limits?.bodyBytes ?? limits.bodyBytes;
  const overBody = (accepted: Accepted, route: Route | undefined): Refusal | undefined => {
    const most = accepted.hasBody ? bodyBytes(route) : undefined;
    if (most === undefined) return undefined;
    const [declared = '0'] = valuesOf(accepted.headers, 'content-length');
    return Number(declared) > most ? { error: bodyTooLarge(most), headers: {} } : undefined;
  };

  const entryAt = (upstream: string): Entry => {
    let at: Places | undefined = there.get(upstream);
    let isIn = true;
    return {
      moveTo(other) {
        const next = there.get(other);
        if (next && !next.enterNow()) return retryLater(upstreamFull(other));
        at?.leave();
        at = next;
        return undefined;
      },
      release() {
        if (!isIn) return;
        isIn = false;
        at?.leave();
        here?.leave();
      },
    };
  };
  // First the place at the upstream: who waits for a slow one must not keep a place from everybody else.
  const takeHere = (upstream: string): Entry | Refusal | Promise<Entry | Refusal> => {
    const settle = (isIn: boolean): Entry | Refusal => {
      if (isIn) return entryAt(upstream);
      there.get(upstream)?.leave();
      return retryLater(overloaded('maxInFlight'));
    };
    const isIn = here?.enter() ?? true;
    return typeof isIn === 'boolean' ? settle(isIn) : isIn.then(settle);
  };

  return {
    admit(accepted, route, upstream) {
      const refusal = overBody(accepted, route) ?? knock(accepted, route);
      if (refusal) return refusal;
      const places = there.get(upstream);
      // A fallback may need a place at legacy, so only a plan without any place needs no entry.
      if (!hasPlaces) return NO_PLACE;
      const isIn = places?.enter() ?? true;
      if (isIn === true) return takeHere(upstream);
      if (isIn === false) return retryLater(upstreamFull(upstream));
      return isIn.then((came) => (came ? takeHere(upstream) : retryLater(upstreamFull(upstream))));
    },
    knock,
    bodyBytes,
    sparesShadows() {
      if (here && overload.maxInFlight !== undefined)
        isSparing = here.taken() > overload.maxInFlight * (isSparing ? SPARE_UNTIL : SPARE_ABOVE);
      return isSparing || strain !== 'calm';
    },
    waiting: () =>
      Object.fromEntries(
        [['proxy', here] as const, ...there].flatMap(([name, each]) =>
          each ? [[name, each.waiting()] as const] : [],
        ),
      ),
    start() {
      if (overload.eventLoopDelayMs !== undefined) void follow(overload.eventLoopDelayMs);
    },
    stop: () => stopping.abort(),
  };
}
