import { isSigned, type PinState, type Plan, sign } from '@strangler/contracts';
import { type Accepted, PIN_COOKIES } from './accept.js';
import { createBelieved } from './believed.js';
import { type Client, ownCookie } from './identify.js';
import { readCookies } from './read-cookies.js';

/**
 * Keeps a client on the service once it has been there, although the share shrinks. A pin is a signed cookie, so it holds in
 * every replica with the same secret and over restarts, and nothing is stored here.
 */
export type Pins = {
  /** What the pin that a request shows for a migration is worth; null where clients may go back and forth. */
  read(cookies: string, migration: string, client: Client, generation: number): PinState | null;
  /** The cookie that pins the client. */
  give(accepted: Pick<Accepted, 'isSecure'>, migration: string, client: Client, generation: number): string;
};

const PURPOSE = 'pin';
const MOST_GIVEN = 10_000;
/** One cookie for each migration: of two answers at once, neither takes the pin of the other away. */
const cookieOf = (migration: string): string => `${PIN_COOKIES}${migration}`;

/** A pin is worth something only in the hands it was given to, in the tenant it was given for. */
const textOf = (migration: string, { kind, id, tenant }: Client, generation: string): string =>
  JSON.stringify([migration, generation, kind, id, tenant ?? null]);

export function createPins({ proxy: { secret }, migrations }: Pick<Plan, 'proxy' | 'migrations'>): Pins {
  /** Who keeps no cookies is given the same one with each answer. */
  const given = new Map<string, string>();
  // Whole texts with their whole signatures: a forged pin is never taken for one of them.
  const believed = createBelieved();
  const isRight = (text: string, signature: string): boolean =>
    believed.isRight(`${signature}${text}`, () => isSigned(secret ?? '', PURPOSE, text, signature));
  return {
    read(cookies, migration, client, generation) {
      if (secret === undefined || migrations[migration]?.canary.oneWay !== true) return null;
      const name = cookieOf(migration);
      if (!cookies.includes(name)) return 'none';
      const shown = readCookies(cookies)[name];
      if (shown === undefined) return 'none';
      const [shownGeneration = '', signature = '', ...rest] = shown.split('.');
      if (
        rest.length > 0 ||
        !/^\d{1,9}$/.test(shownGeneration) ||
        !isRight(textOf(migration, client, shownGeneration), signature)
      )
        return 'invalid';
      // A later generation than ours comes from a replica that has heard of a rollback before us.
      return Number(shownGeneration) >= generation ? 'held' : 'stale';
    },
    give(accepted, migration, client, generation) {
      const text = textOf(migration, client, String(generation));
      const known = given.get(text);
      const signature = known ?? sign(secret ?? '', PURPOSE, text);
      if (known === undefined) {
        if (given.size >= MOST_GIVEN) given.delete(given.keys().next().value as string);
        given.set(text, signature);
      }
      return ownCookie(cookieOf(migration), `${generation}.${signature}`, accepted);
    },
  };
}
