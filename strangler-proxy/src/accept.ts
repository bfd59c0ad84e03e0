import { EXACT_PATHS, type PathRules, StranglerError } from '@strangler/contracts';
import { type Entered, type Entrance, ENTRANCE_HEADERS, PLAIN_ENTRANCE } from './entrance.js';
import { pathAmbiguous, requestRefused } from './errors.js';
import { framingProblem, isAuthority } from './framing.js';
import { HOP_BY_HOP, hopByHopOf, isUsual, mayBeOneOf, type RawHeaders, valuesOf } from './headers.js';
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
  /** For a protocol whose headers do not say it (HTTP/2). */
  readonly hasBody?: boolean;
  /** `1.1` when left out. */
  readonly protocol?: string;
};

/** A request that has one meaning, and the headers an upstream gets to see. */
export type Accepted = Entered & {
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
  /** Of the bearer token, where the plan's identity hangs on it and it was verified. */
  readonly claims?: Readonly<Record<string, unknown>>;
};

export const COOKIE_NAME = 'strangler_id';
/** What a cookie that pins a client begins with; the name of the migration follows. */
export const PIN_COOKIES = 'strangler_pin_';
/** Says when the client has written last. */
export const WROTE_COOKIE = 'strangler_wrote';
/** What a cookie begins with that says on which side of a workflow the client is; the name of the workflow follows. */
export const WORKFLOW_COOKIES = 'strangler_flow_';
const OWN_COOKIE = /^\s*strangler_(?:id=|pin_|tester|wrote=|flow_)/;
const OWN_HEADERS = 'x-strangler-';
/** Most headers are none of those that something is done about, and go on without a copy in lower case. */
const mayMatter = mayBeOneOf([
  ...HOP_BY_HOP,
  ...ENTRANCE_HEADERS,
  'host',
  'cookie',
  'expect',
  'content-length',
  'transfer-encoding',
]);
const mayBeOwn = (name: string): boolean => name.charCodeAt(0) === SMALL_X || name.charCodeAt(0) === LARGE_X;
const [SMALL_X, LARGE_X] = [0x78, 0x58];

/**
 * Makes one meaning out of a request, or refuses it. Hop-by-hop headers, `Expect` (a matter of each connection on its own, see expect-continue.ts)
 * and the toolkit's own cookie and headers do not go on; what a proxy in front may say is the entrance's to keep or to replace.
 */
export function accept(
  head: RequestHead,
  paths: PathRules = EXACT_PATHS,
  entrance: Entrance = PLAIN_ENTRANCE,
): Accepted | StranglerError {
  const { method, url, rawHeaders } = head;
  const named = () => `${method} ${redactTarget(url)}`;
  const problem = framingProblem(head.protocol ?? '1.1', rawHeaders);
  if (problem !== null) return requestRefused(named(), problem);
  const hosts = valuesOf(rawHeaders, 'host');
  if (hosts.length > 1) return requestRefused(named(), 'it names two hosts');
  // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host header.
  const isPath = url.startsWith('/');
  const absolute = isPath ? null : /^https?:\/\/([^/?#@]+)((?:[/?].*)?)$/i.exec(url);
  if (!absolute && !isPath) return requestRefused(named(), 'its target is neither a path nor a URL');
  const rest = absolute?.[2] ?? url;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const host = absolute?.[1] ?? hosts[0];
  if (![host, hosts[0]].every((each = '') => isAuthority(each)))
    return requestRefused(named(), 'its host is not written as one');
  const path = pathToMatch(target, paths);
  if (path === null && paths.ambiguous === 'refuse') return pathAmbiguous(named());

  const headers: string[] = [];
  const cookies: string[] = [];
  const own: string[] = [];
  const said: string[] = [];
  const isForThisConnection = hopByHopOf(rawHeaders);
  const isFast = isUsual(isForThisConnection);
  let hasBody = head.hasBody ?? false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    if (isFast && !mayMatter(name) && !mayBeOwn(name)) {
      headers.push(name, value);
      continue;
    }
    const key = name.toLowerCase();
    if (key === 'transfer-encoding' || (key === 'content-length' && Number(value) > 0)) hasBody = true;
    if (isForThisConnection(key)) continue;
    if (key === 'expect') continue;
    if (ENTRANCE_HEADERS.has(key)) said.push(name, value);
    else if (key.startsWith(OWN_HEADERS)) own.push(name, value);
    else if (key === 'host') headers.push(name, host ?? value);
    else if (key === 'cookie') {
      cookies.push(value);
      const others = withoutOwnCookies(value);
      if (others !== '') headers.push(name, others);
    } else headers.push(name, value);
  }
  if (absolute && hosts.length === 0) headers.push('Host', absolute[1] as string);
  const entered = entrance.enter(`${method} ${url}`, { ...head, host }, said, headers);
  if (entered instanceof StranglerError) return entered;

  return { ...entered, method, target, path, headers, cookies: cookies.join('; '), own, hasBody };
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
