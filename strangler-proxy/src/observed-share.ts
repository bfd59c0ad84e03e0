import { hash } from 'node:crypto';
import type { MigrationTraffic } from '@strangler/contracts';

/** Counts who really went to the service, to be held against what the flag says. */
export type ObservedShare = {
  /** One request that the flag decided, by the side that answered it; `pinned` when the flag alone would have said legacy. */
  count(clientId: string, side: 'legacy' | 'service', pinned?: boolean): void;
  /** Forgets everything: the flag or the phase has changed. */
  reset(now: number): void;
  read(): Omit<MigrationTraffic['share'], 'configured'>;
};

// About 10 MB; the share of the first hundred thousand clients is exact enough for any number of them.
const MOST_CLIENTS = 100_000;

const ON_LEGACY = 0;
const PINNED = 1;
const ON_SERVICE = 2;

export function createObservedShare(now: number): ObservedShare {
  let since = now;
  let requests = 0;
  let diverted = 0;
  // Hashed, because evidence must not be a list of users. The number is the most that has become of the client.
  let clients = new Map<string, number>();
  return {
    count(clientId, side, pinned = false) {
      requests++;
      if (side === 'service') diverted++;
      const key = hash('sha1', clientId, 'base64').slice(0, 12);
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

const percent = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 1_000) / 10;
