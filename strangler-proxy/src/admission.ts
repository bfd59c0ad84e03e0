import type { OverloadLimits, RequestLimits } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { bodyTooLarge, overloaded, upstreamFull } from './errors.js';
import { valuesOf } from './headers.js';
import type { Route } from './match.js';
import type { Places } from './places.js';
import type { RateLimits } from './rate-limits.js';
import { retryLater, type Refusal } from './refuse.js';
import type { Strain } from './strain.js';

/** A request that was let in. `release` gives its places back and may be called twice. */
export type Entry = {
  /** Takes the place at another upstream in place of this one's, without waiting. */
  moveTo(upstream: string): Refusal | undefined;
  release(): void;
};

export type Admission = {
  /**
   * The door: strain, and the limits of the proxy by address. To be asked before anything is done for a request: before a token
   * is verified, a session looked up, a route decided.
   */
  knock(accepted: Accepted): Refusal | undefined;
  /**
   * To be asked once for each judged request that has knocked, before anything else has an effect. It is a promise only when
   * the request has to wait for a place.
   */
  admit(
    accepted: Accepted,
    route: Route | undefined,
    upstream: string,
  ): Entry | Refusal | Promise<Entry | Refusal>;
  /**
   * The part of it that takes a place, for a request that was allowed before and had to wait since: it may wait on for so long, with however many others,
   * since those who held it have bounded them already.
   */
  enter(upstream: string, patienceMs: number): Entry | Refusal | Promise<Entry | Refusal>;
  /** The part of it that takes no place: for connections that are upgraded and stay, and for what has to wait first. */
  allow(accepted: Accepted, route: Route | undefined): Refusal | undefined;
  /** The longest body of a request, counted as it comes; undefined: as long as it likes. */
  bodyBytes(route: Route | undefined): number | undefined;
  /** Whether shadows are left out, so that clients need not be refused. */
  readonly sparesShadows: () => boolean;
};

export type AdmissionParts = {
  readonly limits: RequestLimits;
  readonly overload: OverloadLimits;
  readonly rates: RateLimits;
  /** At the proxy, and at each upstream; none where there is no limit. */
  readonly here: Places | undefined;
  readonly there: ReadonlyMap<string, Places>;
  readonly strain: () => Strain;
};

// Of maxInFlight: above the first shadows are left out, until it is below the second.
const [SPARE_ABOVE, SPARE_UNTIL] = [0.8, 0.6];
const NO_PLACE: Entry = { moveTo: () => undefined, release() {} };

/** Who is let in: sizes, rates, places and the strain of the proxy itself, in one place for all lanes. */
export function createAdmission({ limits, overload, rates, here, there, strain }: AdmissionParts): Admission {
  const hasPlaces = here !== undefined || there.size > 0;
  let isSparing = false;

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
  const takeHere = (upstream: string, patienceMs?: number): Entry | Refusal | Promise<Entry | Refusal> => {
    const settle = (isIn: boolean): Entry | Refusal => {
      if (isIn) return entryAt(upstream);
      there.get(upstream)?.leave();
      return retryLater(overloaded('maxInFlight'));
    };
    const isIn = here?.enter(patienceMs) ?? true;
    return typeof isIn === 'boolean' ? settle(isIn) : isIn.then(settle);
  };

  const allow = (accepted: Accepted, route: Route | undefined): Refusal | undefined =>
    overBody(accepted, route) ?? rates.take(accepted, route);

  const enter = (upstream: string, patienceMs?: number): Entry | Refusal | Promise<Entry | Refusal> => {
    const places = there.get(upstream);
    // A fallback may need a place at legacy, so only a plan without any place needs no entry.
    if (!hasPlaces) return NO_PLACE;
    const isIn = places?.enter(patienceMs) ?? true;
    if (isIn === true) return takeHere(upstream, patienceMs);
    if (isIn === false) return retryLater(upstreamFull(upstream));
    return isIn.then((came) => (came ? takeHere(upstream, patienceMs) : retryLater(upstreamFull(upstream))));
  };

  return {
    knock: (accepted) =>
      strain() === 'overloaded' ? retryLater(overloaded('eventLoopDelayMs')) : rates.takeAtDoor(accepted),
    admit(accepted, route, upstream) {
      const refusal = allow(accepted, route);
      if (refusal) return refusal;
      return enter(upstream);
    },
    enter,
    allow,
    bodyBytes,
    sparesShadows() {
      if (here && overload.maxInFlight !== undefined)
        isSparing = here.taken() > overload.maxInFlight * (isSparing ? SPARE_UNTIL : SPARE_ABOVE);
      return isSparing || strain() !== 'calm';
    },
  };
}
