import { ENTRANCE_HEADERS } from './entrance.js';
import { framingProblem, isAuthority } from './framing.js';
import { HOP_BY_HOP, hopByHopOf, isUsual, mayBeOneOf, type RawHeaders, valuesOf } from './headers.js';

/** The headers of a request, each where it belongs. It hangs on nothing but them, so it can be remembered with them. */
export type SortedHeaders = {
  /** Why two servers could disagree about where the request ends, or null. */
  readonly problem: string | null;
  readonly hosts: readonly string[];
  /** Whether the host is written as one; none at all is. */
  readonly isHostRight: boolean;
  /** What goes on, in the order it came. */
  readonly kept: RawHeaders;
  /** Where the value of the host stands in `kept`; 0 when there is none. */
  readonly hostAt: number;
  /** All cookies the client sent, the toolkit's own included. */
  readonly cookies: string;
  /** The toolkit's own headers. */
  readonly own: RawHeaders;
  /** What only a proxy in front may say: the entrance's to keep or to replace. */
  readonly said: RawHeaders;
  readonly hasBody: boolean;
};

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

/** Hop-by-hop headers and `Expect`, a matter of each connection on its own (see expect-continue.ts), go nowhere. */
export function sortHeaders(protocol: string, rawHeaders: RawHeaders): SortedHeaders {
  const kept: string[] = [];
  const cookies: string[] = [];
  const own: string[] = [];
  const said: string[] = [];
  const isForThisConnection = hopByHopOf(rawHeaders);
  const isFast = isUsual(isForThisConnection);
  let hasBody = false;
  let hostAt = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    if (isFast && !mayMatter(name) && !mayBeOwn(name)) {
      kept.push(name, value);
      continue;
    }
    const key = name.toLowerCase();
    if (key === 'transfer-encoding' || (key === 'content-length' && Number(value) > 0)) hasBody = true;
    if (isForThisConnection(key)) continue;
    if (key === 'expect') continue;
    if (ENTRANCE_HEADERS.has(key)) said.push(name, value);
    else if (key.startsWith(OWN_HEADERS)) own.push(name, value);
    else if (key === 'cookie') {
      cookies.push(value);
      const others = withoutOwnCookies(value);
      if (others !== '') kept.push(name, others);
    } else {
      kept.push(name, value);
      if (key === 'host') hostAt = kept.length - 1;
    }
  }
  const hosts = valuesOf(rawHeaders, 'host');
  return {
    problem: framingProblem(protocol, rawHeaders),
    hosts,
    isHostRight: isAuthority(hosts[0] ?? ''),
    kept,
    hostAt,
    cookies: cookies.join('; '),
    own,
    said,
    hasBody,
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
