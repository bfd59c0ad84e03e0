import { randomInt } from 'node:crypto';
import type { MigrationTraffic } from '@strangler/contracts';

/** Counts who really went to the service, to be held against what the flag says. */
export type ObservedShare = {
  /** One request that the flag decided, by the side that answered it; `pinned` when the flag alone would have said legacy. */
  count(clientId: string, side: 'legacy' | 'service', pinned?: boolean): void;
  /** Forgets everything: the flag or the phase has changed. */
  reset(now: number): void;
  read(): Omit<MigrationTraffic['share'], 'configured'>;
};

// About 5 MB; the share of the first hundred thousand clients is exact enough for any number of them.
const MOST_CLIENTS = 100_000;

const ON_LEGACY = 0;
const PINNED = 1;
const ON_SERVICE = 2;

export function createObservedShare(now: number, seed = randomInt(2 ** 32)): ObservedShare {
  let since = now;
  let requests = 0;
  let diverted = 0;
  // Hashed, because evidence must not be a list of users. The number is the most that has become of the client.
  let clients = new Map<number, number>();
  return {
    count(clientId, side, pinned = false) {
      requests++;
      if (side === 'service') diverted++;
      const key = hashOf(clientId, seed);
      const before = clients.get(key);
      if (before === undefined && clients.size >= MOST_CLIENTS) return;
      const place = side === 'legacy' ? ON_LEGACY : pinned ? PINNED : ON_SERVICE;
      if (before === undefined || place > before) clients.set(key, place);
    },
    reset(at) {
      since = at;
      requests = diverted = 0;
      clients = new Map();
    },
    read() {
      const onService = [...clients.values()].filter((place) => place > ON_LEGACY).length;
      return {
        observedClients: percent(onService, clients.size),
        observedRequests: percent(diverted, requests),
        clients: clients.size,
        pinned: [...clients.values()].filter((place) => place === PINNED).length,
        requests,
        since: new Date(since).toISOString(),
      };
    },
  };
}

/**
 * 53 bits (cyrb53 by bryc, public domain): of 100,000 clients two are taken for one with a chance of one in a million. The seed is drawn
 * anew in each process, so that nobody can choose ids that meet.
 */
function hashOf(text: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}

const percent = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 1_000) / 10;
