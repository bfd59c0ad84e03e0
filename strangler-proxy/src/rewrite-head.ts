import type { RewriteRules } from '@strangler/contracts';
import { eachHeader, type RawHeaders } from './headers.js';
import { replaceIn } from './replace-origins.js';

/** What clients know an upstream by. */
export type PublicSide = { readonly origin: string; readonly isSecure: boolean };

const ADDRESSES = new Set(['location', 'content-location', 'refresh', 'link']);

/** Headers of an answer with the public origin where the upstream names its own, and cookies that fit the client's address. */
export function rewriteHead(
  raw: RawHeaders,
  rules: RewriteRules,
  origins: readonly string[],
  side: PublicSide | undefined,
): string[] {
  const rewritten: string[] = [];
  for (const [name, value] of eachHeader(raw)) {
    const key = name.toLowerCase();
    if (key === 'set-cookie') rewritten.push(name, rewriteCookie(value, rules.cookies, side));
    else if (side && rules.location && ADDRESSES.has(key))
      rewritten.push(name, replaceIn(value, origins, side.origin));
    else rewritten.push(name, value);
  }
  return rewritten;
}

/** Attribute by attribute (RFC 6265, 5.2); name and value of the cookie stay byte for byte. */
function rewriteCookie(
  cookie: string,
  { domain, path, secure }: RewriteRules['cookies'],
  side: PublicSide | undefined,
): string {
  const [pair = '', ...attributes] = cookie.split(';');
  // A browser takes these prefixes only with the attributes that their upstream has given them.
  if (/^\s*__(?:host|secure)-/i.test(pair)) return cookie;
  const kept = attributes.flatMap((attribute) => {
    const [name = '', ...rest] = attribute.split('=');
    const value = rest.join('=').trim();
    switch (name.trim().toLowerCase()) {
      case 'domain':
        return domain === undefined ? [attribute] : domain === false ? [] : [` Domain=${domain}`];
      case 'path':
        return [rewritePath(value, path) ?? attribute];
      case 'secure':
        return secure === 'as-client' ? [] : [attribute];
      default:
        return [attribute];
    }
  });
  if (secure === 'as-client' && side?.isSecure) kept.push(' Secure');
  return [pair, ...kept].join(';');
}

/** The longest beginning that is a whole part of the path. */
function rewritePath(path: string, rules: Readonly<Record<string, string>>): string | undefined {
  const from = Object.keys(rules)
    .filter((start) => path === start || path.startsWith(start.endsWith('/') ? start : `${start}/`))
    .toSorted((one, other) => other.length - one.length)[0];
  if (from === undefined) return undefined;
  const rest = path.slice(from.length).replace(/^\//, '');
  const to = rules[from] as string;
  return ` Path=${rest === '' ? to : `${to.replace(/\/$/, '')}/${rest}`}`;
}
