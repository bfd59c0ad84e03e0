import { LRUCache } from 'lru-cache';

/** The ids of a session's cookies. One of them being revoked revokes the session. */
export type SessionIds = readonly string[];

/** An answer about a session: what those get who asked, what is kept of it, and for how long. */
export type Asked<T> = { readonly value: T; readonly kept: T; readonly keepMs: number };

export type SessionCache<T> = {
  /**
   * What is known of the session as this asker, else what `ask` says: once for all who wait. An answer that was asked for before the session was
   * revoked counts for nobody. undefined: it was revoked each time.
   */
  readonly get: (ids: SessionIds, asker: string, ask: () => Promise<Asked<T>>) => Promise<T | undefined>;
  /** From now on nothing counts that was asked before. */
  readonly revoke: (ids: SessionIds) => void;
  /** The same, unless what is known already is `right`. */
  readonly revokeUnless: (ids: SessionIds, asker: string, right: (known: T) => boolean) => void;
};

type Entry<T> = { readonly since: number; readonly until: number; readonly value: T };
type Flight<T> = { readonly since: number; readonly answer: Promise<Asked<T>> };

const TRIES = 3;

/** Bounded by `max` answers and as many revocations. `now` in milliseconds. */
export function createSessionCache<T>({ max, now }: { max: number; now: () => number }): SessionCache<T> {
  // Events are counted, not timed: within a millisecond a clock cannot tell before from after.
  let events = 0;
  // A revocation that is forgotten revokes everything before it.
  let floor = 0;
  const revoked = new LRUCache<string, number>({
    max,
    dispose: (event, _id, why) => {
      if (why === 'evict') floor = Math.max(floor, event);
    },
  });
  const known = new LRUCache<string, Entry<T>>({ max });
  const flights = new Map<string, Flight<T>>();

  const isVoid = (ids: SessionIds, since: number): boolean =>
    since <= floor || ids.some((id) => since <= (revoked.peek(id) ?? 0));
  const keyOf = (ids: SessionIds, asker: string): string => `${ids.join('.')} ${asker}`;

  const revoke = (ids: SessionIds): void => {
    const event = ++events;
    for (const id of ids) revoked.set(id, event);
  };
  const start = (key: string, ids: SessionIds, ask: () => Promise<Asked<T>>): Flight<T> => {
    const since = ++events;
    const flight = { since, answer: ask() };
    flights.set(key, flight);
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    const keep = async (): Promise<void> => {
      const { kept, keepMs } = await flight.answer;
      if (keepMs > 0 && !isVoid(ids, since)) known.set(key, { since, until: now() + keepMs, value: kept });
    };
    // Who waits for the answer is told what went wrong; here it only must not stay in the way of the next.
    void keep()
      .catch(() => {})
      .finally(land);
    return flight;
  };

  return {
    async get(ids, asker, ask) {
      const key = keyOf(ids, asker);
      for (let tries = 0; tries < TRIES; tries++) {
        const entry = known.get(key);
        if (entry && entry.until > now() && !isVoid(ids, entry.since)) return entry.value;
        const ongoing = flights.get(key);
        const flight = ongoing && !isVoid(ids, ongoing.since) ? ongoing : start(key, ids, ask);
        const { value } = await flight.answer;
        if (!isVoid(ids, flight.since)) return value;
      }
      return undefined;
    },
    revoke,
    revokeUnless(ids, asker, right) {
      const entry = known.peek(keyOf(ids, asker));
      if (!entry || isVoid(ids, entry.since) || !right(entry.value)) revoke(ids);
    },
  };
}
