import { parseCookie } from 'cookie';
import type { ConditionKind } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { valuesOf } from './headers.js';

/** What of a request conditions can ask for. */
export type Asked = Pick<Accepted, 'headers' | 'cookies' | 'target'>;

/** Every value the request gives a name, in order; none when it does not have it. */
export type Facts = (kind: ConditionKind, name: string) => readonly string[];

/** Reads a part of the request when it is first asked for: most requests meet no condition at all. */
export function readFacts({ headers, cookies, target }: Asked): Facts {
  let query: URLSearchParams | undefined;
  let jar: readonly (readonly [string, string])[] | undefined;
  let claims: Readonly<Record<string, unknown>> | undefined;
  return (kind, name) => {
    switch (kind) {
      case 'host':
        return valuesOf(headers, 'host').map(hostName);
      case 'header':
        return valuesOf(headers, name);
      case 'query':
        query ??= new URLSearchParams(target.includes('?') ? target.slice(target.indexOf('?')) : '');
        return query.getAll(name);
      case 'cookie':
        jar ??= cookiesIn(cookies);
        return jar.filter(([own]) => own === name).map(([, value]) => value);
      case 'claim': {
        claims ??= claimsIn(valuesOf(headers, 'authorization'));
        const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
        return claim === undefined || claim === null ? [] : [claimText(claim)];
      }
    }
  };
}

/** Without port and the dot of the root, in lower case. */
const hostName = (host: string): string => host.toLowerCase().replace(/\.?(?::\d*)?$/, '');

/** Each by itself: read together, the second of two cookies of one name would be lost. */
const cookiesIn = (cookies: string): readonly (readonly [string, string])[] =>
  cookies
    .split(';')
    .flatMap((cookie) =>
      Object.entries(parseCookie(cookie)).map(([name, value]) => [name, value ?? ''] as const),
    );

/**
 * The claims of the bearer token, as it claims them: nothing here looks at its signature. Two Authorization headers, or what
 * is no JWT (RFC 7519, 3), claim nothing.
 */
function claimsIn(authorization: readonly string[]): Readonly<Record<string, unknown>> {
  const token =
    authorization.length === 1 ? /^bearer +(\S+)$/i.exec(authorization[0] as string)?.[1] : undefined;
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token ?? '')?.[1];
  if (payload === undefined) return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return claims !== null && typeof claims === 'object' && !Array.isArray(claims)
      ? (claims as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
}

/** A list or an object is there, and equals no text a plan can write down unless it is written as this JSON. */
const claimText = (claim: unknown): string => (typeof claim === 'string' ? claim : JSON.stringify(claim));
