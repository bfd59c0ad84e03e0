import { createHash, timingSafeEqual } from 'node:crypto';
import { adminHostRefused, adminTokenRefused, type StranglerError } from './errors.js';

/** What of a request to an admin port is looked at. */
export type AdminRequest = {
  /** Path and query. */
  readonly target: string;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  /** Whether it asks for something that is for everybody, besides what is so in all programs. */
  readonly isOpen?: boolean;
};

// Asked by what starts and balances programs; they tell nothing but "yes" or "no".
const OPEN = new Set(['/health', '/ready']);

const LOOPBACK = /^(?:localhost|(?:[\w-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i;

/** Whether only this machine reaches an address. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Who may ask an admin port, the same for all programs: with a token who shows it as `Authorization: Bearer` (compared in a time
 * that says nothing of it); and on loopback, who asks by a name of this machine. A page in an operator's browser can have any name point to
 * loopback (DNS rebinding), but its Host header tells.
 */
export function guardAdmin(
  address: string,
  token: string | undefined,
): (request: AdminRequest) => StranglerError | undefined {
  const expected = token === undefined ? undefined : digest(token);
  return ({ target, host = '', authorization = '', isOpen = false }) => {
    if (isLoopback(address) && !isLoopback(host.replace(/:\d+$/, ''))) return adminHostRefused(host);
    if (expected === undefined || isOpen || OPEN.has(target.split('?', 1).join())) return undefined;
    const shown = /^Bearer +([^ ]+) *$/i.exec(authorization)?.[1] ?? '';
    return timingSafeEqual(digest(shown), expected) ? undefined : adminTokenRefused();
  };
}

/** The header by which a program shows the token; none without a token. */
export const bearerOf = (token: string | undefined): Readonly<Record<string, string>> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };
