import { EXACT_PATHS, type PathRules, type StranglerError } from '@strangler/contracts';
import { pathAmbiguous, requestRefused } from './errors.js';
import { framingProblem, isAuthority } from './framing.js';
import { hopByHopOf, type RawHeaders, valuesOf } from './headers.js';
import { redactTarget } from './redact.js';
import { pathToMatch } from './request-path.js';

/** What of a request the wire gives. */
export type RequestHead = {
  readonly method: string;
  /** `1.1` when it is left out. */
  readonly version?: string;
  /** The request target as it came. */
  readonly url: string;
  readonly rawHeaders: RawHeaders;
  readonly remoteAddress: string;
  readonly encrypted: boolean;
};

/** A request that has one meaning, and the headers an upstream gets to see. */
export type Accepted = {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** The path routes are matched on, in the spelling of the plan's path rules; null when it is ambiguous. */
  readonly path: string | null;
  readonly headers: RawHeaders;
  /** All cookies the client sent, the toolkit's own included. */
  readonly cookies: string;
  /** The toolkit's own headers that the client sent; they do not go on. */
  readonly own: RawHeaders;
  readonly hasBody: boolean;
  readonly clientAddress: string;
  readonly isSecure: boolean;
};

export const COOKIE_NAME = 'strangler_id';
/** What a cookie that pins a client begins with; the name of the migration follows. */
export const PIN_COOKIES = 'strangler_pin_';
const OWN_COOKIE = /^\s*strangler_(?:id=|pin_|tester)/;
const OWN_HEADERS = 'x-strangler-';

const WRITTEN_BY_US = new Set([
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/**
 * Makes one meaning out of a request, or refuses it. Hop-by-hop headers, `Expect` (the server has answered it already),
 * the forwarded headers of the client and the toolkit's own cookie and headers do not go on.
 */
export function accept(head: RequestHead, paths: PathRules = EXACT_PATHS): Accepted | StranglerError {
  const { method, url, rawHeaders } = head;
  const problem = framingProblem(head.version ?? '1.1', rawHeaders);
  if (problem !== null) return requestRefused(`${method} ${redactTarget(url)}`, problem);
  const hosts = valuesOf(rawHeaders, 'host');
  if (hosts.length > 1) return requestRefused(`${method} ${redactTarget(url)}`, 'it names two hosts');
  // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host header.
  const isPath = url.startsWith('/');
  const absolute = isPath ? null : /^https?:\/\/([^/?#@]+)((?:[/?].*)?)$/i.exec(url);
  if (!absolute && !isPath)
    return requestRefused(`${method} ${redactTarget(url)}`, 'its target is neither a path nor a URL');
  const rest = absolute?.[2] ?? url;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const host = absolute?.[1] ?? hosts[0];
  if (![host, hosts[0]].every((each = '') => isAuthority(each)))
    return requestRefused(`${method} ${redactTarget(url)}`, 'its host is not written as one');
  const path = pathToMatch(target, paths);
  if (path === null && paths.ambiguous === 'refuse') return pathAmbiguous(`${method} ${redactTarget(url)}`);

  const headers: string[] = [];
  const cookies: string[] = [];
  const own: string[] = [];
  let forwardedProto = '';
  const isForThisConnection = hopByHopOf(rawHeaders);
  let hasBody = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const key = name.toLowerCase();
    if (key === 'transfer-encoding' || (key === 'content-length' && Number(value) > 0)) hasBody = true;
    if (isForThisConnection(key)) continue;
    if (key === 'x-forwarded-proto') forwardedProto = value.trim().toLowerCase();
    if (WRITTEN_BY_US.has(key)) continue;
    if (key.startsWith(OWN_HEADERS)) own.push(name, value);
    else if (key === 'host') headers.push(name, host ?? value);
    else if (key === 'cookie') {
      cookies.push(value);
      const others = withoutOwnCookies(value);
      if (others !== '') headers.push(name, others);
    } else headers.push(name, value);
  }
  if (absolute && hosts.length === 0) headers.push('Host', absolute[1] as string);
  // Only a client behind a TLS terminator can have come by https; one that merely claims it deceives itself alone.
  const isSecure = head.encrypted || forwardedProto === 'https';
  const clientAddress = head.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  headers.push('X-Forwarded-For', clientAddress);
  headers.push('X-Forwarded-Proto', isSecure ? 'https' : 'http');
  if (host !== undefined) headers.push('X-Forwarded-Host', host);

  return {
    method,
    target,
    path,
    headers,
    cookies: cookies.join('; '),
    own,
    hasBody,
    clientAddress,
    isSecure,
  };
}

/** The other cookies stay as they came, byte for byte. */
function withoutOwnCookies(cookies: string): string {
  if (!cookies.includes('strangler_')) return cookies;
  return cookies
    .split(';')
    .filter((cookie) => !OWN_COOKIE.test(`${cookie}=`))
    .join(';')
    .trim();
}
