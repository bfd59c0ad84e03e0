import type { RateLimit } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { clientKeyOf } from './client-key.js';
import { tooManyRequests } from './errors.js';
import { gcra, type Pace } from './gcra.js';
import { identify, type Identity } from './identify.js';
import type { Route } from './match.js';
import type { Refusal } from './refuse.js';

export type RateLimits = {
  /** Those of the proxy by address: all they need to know is where a request comes from. */
  takeAtDoor(accepted: Accepted): Refusal | undefined;
  /** All others: takes the request off every limit that is in force for it, or off none and says why. */
  take(accepted: Accepted, route: Route | undefined): Refusal | undefined;
};

/** For each key when its next request would come if they came evenly; who was idle longest is first. */
export type Dues = Map<string, number>;

export type RateLimitsOptions = {
  readonly limits: readonly RateLimit[];
  readonly identity: Identity['identity'];
  readonly now: () => number;
  /** Keys that are kept for each limit; above it the one that was idle longest is forgotten. */
  readonly mostKeys?: number;
  /** What is remembered of a limit, by its settings and its route: plans that say the same share it. */
  readonly duesOf?: (limit: string) => Dues;
};

type Kept = { readonly limit: RateLimit; readonly pace: Pace; readonly dues: Dues };

const MOST_KEYS = 100_000;

/** What a limit is told apart by; of a route by its text, and not by its object: a plan that is loaded anew must not forgive. */
export const rateKey = (limit: RateLimit, route?: Pick<Route, 'text'>): string =>
  JSON.stringify([route?.text ?? null, limit.by, limit.requests, limit.perMs, limit.burst ?? null]);

/** Rate limits of the proxy and of routes, in memory: each replica counts for itself. */
export function createRateLimits({
  limits,
  identity,
  now,
  mostKeys = MOST_KEYS,
  duesOf = () => new Map(),
}: RateLimitsOptions): RateLimits {
  const keep = (limit: RateLimit, route?: Route): Kept => ({
    limit,
    pace: { intervalMs: limit.perMs / limit.requests, burst: limit.burst ?? limit.requests },
    dues: duesOf(rateKey(limit, route)),
  });
  const atDoor = limits.filter(({ by }) => by === 'address').map((limit) => keep(limit));
  const inside = limits.filter(({ by }) => by !== 'address').map((limit) => keep(limit));
  const ofRoutes = new Map<string, Kept>();

  const inForce = (route: Route | undefined): readonly Kept[] => {
    if (route?.rateLimit === undefined) return inside;
    const own = ofRoutes.get(route.text) ?? keep(route.rateLimit, route);
    ofRoutes.set(route.text, own);
    return [...inside, own];
  };
  const keyOf = ({ limit }: Kept, accepted: Accepted, route: Route | undefined): string => {
    if (limit.by === 'route') return route?.text ?? 'other';
    const address = clientKeyOf(accepted.clientAddress);
    if (limit.by === 'address') return address;
    // The own cookie does not count, so no secret is needed: who throws it away, or collects several, would have as many limits.
    const { kind, id, session } = identify(accepted, { identity }, () => '');
    if (kind === 'user') return `user ${id}`;
    return session === undefined ? address : `session ${session}`;
  };

  const takeOff = (
    kept: readonly Kept[],
    accepted: Accepted,
    route: Route | undefined,
  ): Refusal | undefined => {
    if (kept.length === 0) return undefined;
    const at = now();
    const taken: (() => void)[] = [];
    for (const each of kept) {
      const key = keyOf(each, accepted, route);
      const result = gcra(each.dues.get(key), at, each.pace);
      if ('waitMs' in result) return refusalOf(each.limit, result.waitMs);
      taken.push(() => {
        // Last in the map is who came last, so the first one is who was idle longest.
        each.dues.delete(key);
        each.dues.set(key, result.due);
        if (each.dues.size > mostKeys) each.dues.delete(each.dues.keys().next().value as string);
      });
    }
    for (const settle of taken) settle();
    return undefined;
  };
  return {
    takeAtDoor: (accepted) => takeOff(atDoor, accepted, undefined),
    take: (accepted, route) => takeOff(inForce(route), accepted, route),
  };
}

/** RFC 9110, 10.2.3, and draft-ietf-httpapi-ratelimit-headers-10: `q` requests in `w` seconds, `r` left, more in `t` seconds. */
function refusalOf({ requests, perMs, by }: RateLimit, waitMs: number): Refusal {
  const seconds = String(Math.ceil(waitMs / 1_000));
  return {
    error: tooManyRequests(by),
    headers: {
      'retry-after': seconds,
      'ratelimit-policy': `"${by}";q=${requests};w=${Math.ceil(perMs / 1_000)}`,
      ratelimit: `"${by}";r=0;t=${seconds}`,
    },
  };
}
