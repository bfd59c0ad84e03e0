import { type RawHeaders, valuesOf } from './headers.js';

// RFC 3986, 3.2.2 and 3.2.3, without a user: a registered name, an IPv4 address or an IPv6 address in brackets, and a port.
const AUTHORITY = /^(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** Whether a text can stand where a host is written. */
export const isAuthority = (text: string): boolean => AUTHORITY.test(text);

/**
 * Why two servers could disagree about where this request ends, or null. Node's parser refuses most of what is bad and leaves
 * this over: it unpacks "gzip, chunked" as if it were "chunked", and takes chunks in HTTP/1.0.
 */
export function framingProblem(version: string, rawHeaders: RawHeaders): string | null {
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  if (codings.length === 0) return null;
  if (version !== '1.1') return `HTTP/${version} has no transfer codings`;
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked')
    return 'its transfer coding is other than "chunked" alone';
  // Node's parser lets no such request through; a parser that would must not make it one that can be forwarded.
  return valuesOf(rawHeaders, 'content-length').length > 0 ? 'it has both a length and chunks' : null;
}
