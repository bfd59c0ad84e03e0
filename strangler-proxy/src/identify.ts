import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Plan } from '@strangler/contracts';
import { type Accepted, COOKIE_NAME } from './accept.js';
import { valuesOf } from './headers.js';
import { createVerifiedCookies, type VerifiedCookies } from './verified-cookies.js';

/** Who a flag decides for. `setCookie` is there when the answer must give the client its id. */
export type Client = {
  readonly kind: 'user' | 'anonymous';
  readonly id: string;
  readonly setCookie?: string;
};

export type Identity = Pick<Plan['proxy'], 'identity' | 'secret'>;

const ONE_YEAR_S = 31_536_000;

const signature = (secret: string, id: string): string =>
  createHmac('sha256', secret).update(id).digest('base64url');

// What one secret has signed says nothing under another one.
const verifiedBySecret = new Map<string, VerifiedCookies>();

function verifiedWith(secret: string): VerifiedCookies {
  let verified = verifiedBySecret.get(secret);
  if (!verified) verifiedBySecret.set(secret, (verified = createVerifiedCookies()));
  return verified;
}

/** The user the request names, else the bearer of a cookie that was signed here; undefined when it has neither. */
export function recognise(
  accepted: Pick<Accepted, 'cookies' | 'headers'>,
  identity: Identity,
): Client | undefined {
  const cookies = parseCookie(accepted.cookies);
  const { user: source } = identity.identity;
  if (source) {
    const named = 'cookie' in source ? cookies[source.cookie] : valuesOf(accepted.headers, source.header)[0];
    if (named !== undefined && named.trim() !== '') return { kind: 'user', id: named.trim() };
  }
  const value = cookies[COOKIE_NAME];
  if (value === undefined || identity.secret === undefined) return undefined;
  const verified = verifiedWith(identity.secret);
  const verifiedId = verified.idOf(value);
  if (verifiedId !== undefined) return { kind: 'anonymous', id: verifiedId };
  const [id = '', given = ''] = value.split('.');
  if (id === '') return undefined;
  const expected = Buffer.from(signature(identity.secret, id));
  const actual = Buffer.from(given);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return undefined;
  verified.keep(value, id);
  return { kind: 'anonymous', id };
}

/** As `recognise`, but whoever is unknown, or shows a forged cookie, becomes a new anonymous client. */
export function identify(
  accepted: Pick<Accepted, 'cookies' | 'headers' | 'isSecure'>,
  identity: Identity,
  newId: () => string,
): Client {
  const known = recognise(accepted, identity);
  if (known) return known;
  const id = newId();
  if (identity.secret === undefined) return { kind: 'anonymous', id };
  const setCookie = stringifySetCookie({
    name: COOKIE_NAME,
    value: `${id}.${signature(identity.secret, id)}`,
    path: '/',
    maxAge: ONE_YEAR_S,
    httpOnly: true,
    sameSite: 'lax',
    secure: accepted.isSecure,
  });
  return { kind: 'anonymous', id, setCookie };
}
