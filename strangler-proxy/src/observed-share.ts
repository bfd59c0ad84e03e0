import { hash } from 'node:crypto';
import type { MigrationTraffic } from '@strangler/contracts';

/** Counts who really went to the service, to be held against what the flag says. */
export type ObservedShare = {
  /** One request that the flag decided, by the side that answered it. */
  count(clientId: string, side: 'legacy' | 'service'): void;
  /** Forgets everything: the flag or the phase has changed. */
  reset(now: number): void;
  read(): Omit<MigrationTraffic['share'], 'configured'>;
};

// About 10 MB; the share of the first hundred thousand clients is exact enough for any number of them.
const MOST_CLIENTS = 100_000;

export function createObservedShare(now: number): ObservedShare {
  let since = now;
  let requests = 0;
  let diverted = 0;
  // Hashed, because evidence must not be a list of users. True: has been on the service.
  let clients = new Map<string, boolean>();
  return {
    count(clientId, side) {
      requests++;
      if (side === 'service') diverted++;
      const key = hash('sha1', clientId, 'base64').slice(0, 12);
      const before = clients.get(key);
      if (before === undefined && clients.size >= MOST_CLIENTS) return;
      if (before !== true) clients.set(key, side === 'service');
    },
    reset(at) {
      since = at;
      requests = diverted = 0;
      clients = new Map();
    },
    read() {
      const onService = [...clients.values()].filter(Boolean).length;
      return {
        observedClients: percent(onService, clients.size),
        observedRequests: percent(diverted, requests),
        clients: clients.size,
        requests,
        since: new Date(since).toISOString(),
      };
    },
  };
}

const percent = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 1_000) / 10;
