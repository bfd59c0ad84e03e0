import type { SessionBridgePlan } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { valuesOf } from './headers.js';

/** RFC 9110, 9.2.1. */
export const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method);

/**
 * Why a request may have been sent by another site, in the name of a client that does not know; undefined when it was not. After
 * Go's net/http CrossOriginProtection (Sec-Fetch-Site, then Origin against Host) and, where a browser sends neither, the OWASP
 * cheat sheet (Referer; and what says nothing of where it comes from is refused). `isTokenChecked`: a token is
 * compared as well, which is proof enough for the last case.
 */
export function crossSiteReason(
  { headers, isSecure }: Pick<Accepted, 'headers' | 'isSecure'>,
  { origins }: Pick<SessionBridgePlan['csrf'], 'origins'>,
  isTokenChecked: boolean,
): string | undefined {
  const [host] = valuesOf(headers, 'host');
  const [origin, ...others] = valuesOf(headers, 'origin');
  const sites = valuesOf(headers, 'sec-fetch-site');
  if (others.length > 0 || sites.length > 1) return 'it names two origins';
  if (origin !== undefined && origins.includes(origin)) return undefined;
  const [site] = sites;
  if (site !== undefined)
    return site === 'same-origin' || site === 'none' ? undefined : 'another site has sent it';
  const source = origin ?? valuesOf(headers, 'referer')[0];
  if (source === undefined) return isTokenChecked ? undefined : 'it does not say which site has sent it';
  const url = URL.canParse(source) ? new URL(source) : undefined;
  if (url && origin === undefined && origins.includes(url.origin)) return undefined;
  // Hosts, because a TLS terminator does not always say that it is one; where it does, http is another origin than https.
  const isSame = url?.host === host?.toLowerCase() && (!isSecure || url?.protocol === 'https:');
  return url && isSame ? undefined : 'another site has sent it';
}
