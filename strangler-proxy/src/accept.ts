import { EXACT_PATHS, type PathRules, StranglerError } from '@strangler/contracts';
import { type Entered, type Entrance, PLAIN_ENTRANCE } from './entrance.js';
import { pathAmbiguous, requestRefused } from './errors.js';
import { isAuthority } from './framing.js';
import type { RawHeaders } from './headers.js';
import { redactTarget } from './redact.js';
import { pathToMatch } from './request-path.js';
import { type SortedHeaders, sortHeaders } from './sort-headers.js';

/** What of a request the wire gives. */
export type RequestHead = {
  readonly method: string;
  /** `1.1` when it is left out. */
  readonly version?: string;
  /** The request target as it came. */
  readonly url: string;
  readonly rawHeaders: RawHeaders;
  /** The same, where somebody has sorted them already. */
  readonly sorted?: SortedHeaders | undefined;
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
/**
 * Makes one meaning out of a request, or refuses it. Hop-by-hop headers, `Expect` (a matter of each connection on its own, see expect-continue.ts)
 * and the toolkit's own cookie and headers do not go on; what a proxy in front may say is the entrance's to keep or to replace.
 */
export function accept(
  head: RequestHead,
  paths: PathRules = EXACT_PATHS,
  entrance: Entrance = PLAIN_ENTRANCE,
): Accepted | StranglerError {
  const { method, url } = head;
  const sorted = head.sorted ?? sortHeaders(head.protocol ?? '1.1', head.rawHeaders);
  const { problem, hosts, isHostRight, kept, hostAt, cookies, own, said } = sorted;
  const named = () => `${method} ${redactTarget(url)}`;
  if (problem !== null) return requestRefused(named(), problem);
  if (hosts.length > 1) return requestRefused(named(), 'it names two hosts');
  // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host header.
  const isPath = url.startsWith('/');
  const absolute = isPath ? null : /^https?:\/\/([^/?#@]+)((?:[/?].*)?)$/i.exec(url);
  if (!absolute && !isPath) return requestRefused(named(), 'its target is neither a path nor a URL');
  const rest = absolute?.[2] ?? url;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const authority = absolute?.[1];
  if (!isHostRight || (authority !== undefined && !isAuthority(authority)))
    return requestRefused(named(), 'its host is not written as one');
  const path = pathToMatch(target, paths);
  if (path === null && paths.ambiguous === 'refuse') return pathAmbiguous(named());

  const headers = kept.slice();
  if (authority !== undefined)
    if (hostAt > 0) headers[hostAt] = authority;
    else headers.push('Host', authority);
  const host = authority ?? hosts[0];
  const entered = entrance.enter(`${method} ${url}`, { ...head, host }, said, headers);
  if (entered instanceof StranglerError) return entered;

  const hasBody = (head.hasBody ?? false) || sorted.hasBody;
  return { ...entered, method, target, path, headers, cookies, own, hasBody };
}
