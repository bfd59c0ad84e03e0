import { phaseOf, type Plan } from '@strangler/contracts';
import { type Accepted, WROTE_COOKIE } from './accept.js';
import type { Watermarks } from './follow-watermarks.js';
import { type Client, ownCookie } from './identify.js';
import type { Route } from './match.js';
import { readCookies } from './read-cookies.js';
import { createRecentWrites } from './recent-writes.js';
import type { Routing } from './routing.js';
import {
  laterOf,
  parseWrite,
  printWrite,
  stateOf,
  type Write,
  writeAt,
  type WriteState,
  writeUnknown,
} from './write-token.js';

/** Keeps the reads of a client on legacy until the service has what the client wrote. */
export type OwnWrites = {
  /** Whether an answer of legacy to this request is to be followed by a token. */
  isWrite(accepted: Pick<Accepted, 'method'>, routing: Routing): boolean;
  /** What has become of the client's last write, for the copy of this route's migration; null where it does not matter. */
  stateFor(cookies: string, route: Route, client: Client | undefined): WriteState | null;
  /**
   * The cookie for an answer whose head has just come: whatever it answers is committed. `undefined` for an answer that never
   * came: nobody knows when its write is committed, or whether.
   */
  give(
    accepted: Pick<Accepted, 'cookies' | 'isSecure'>,
    client: Client | undefined,
    isAnswered?: boolean,
  ): string;
};

export type OwnWritesOptions = {
  readonly plan: Pick<Plan, 'proxy' | 'migrations'>;
  readonly watermarks: () => Watermarks;
  readonly now: () => number;
};

// RFC 9110, 9.2.1. What changes something all the same is no write here.
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function createOwnWrites({
  plan: { proxy, migrations },
  watermarks,
  now,
}: OwnWritesOptions): OwnWrites {
  const { enabled, ceilingMs } = proxy.readYourWrites;
  const secret = proxy.secret ?? '';
  const copied = new Set(
    Object.entries(migrations).flatMap(([name, { data }]) => (enabled && data ? [name] : [])),
  );
  const recent = createRecentWrites(ceilingMs);
  const shownIn = (cookies: string): Write | undefined => {
    if (!cookies.includes(WROTE_COOKIE)) return undefined;
    const token = readCookies(cookies)[WROTE_COOKIE];
    return token === undefined ? undefined : parseWrite(secret, token);
  };
  const ORDER: readonly WriteState[] = ['over', 'passed', 'waiting'];
  return {
    isWrite({ method }, { state }) {
      if (SAFE.has(method)) return false;
      for (const name of copied) {
        const phase = phaseOf(state, name);
        // In shadow too: the next moment it may be in canary.
        if (phase === 'shadow' || phase === 'canary') return true;
      }
      return false;
    },
    stateFor(cookies, route, client) {
      if (!copied.has(route.migration)) return null;
      const [shown, kept] = [shownIn(cookies), client && recent.of(client, now())];
      if (!shown && !kept) return null;
      const { time, migrations: known } = watermarks();
      const appliedUntil = known[route.migration]?.appliedUntil ?? null;
      const states = [shown, kept].flatMap((write) =>
        write ? [stateOf(write, { now: now(), ceilingMs, time, appliedUntil })] : [],
      );
      return ORDER.findLast((state) => states.includes(state)) ?? null;
    },
    give({ cookies, isSecure }, client, isAnswered = true) {
      const { time } = watermarks();
      const write = isAnswered ? writeAt(time, now()) : writeUnknown(now());
      if (client) recent.note(client, write);
      const shown = shownIn(cookies);
      // One that no longer counts must not keep the new one from passing.
      const counts =
        shown && stateOf(shown, { now: now(), ceilingMs, time, appliedUntil: null }) === 'waiting';
      const later = laterOf(counts ? shown : undefined, write);
      return ownCookie(WROTE_COOKIE, printWrite(secret, later), { isSecure }, Math.ceil(ceilingMs / 1_000));
    },
  };
}
