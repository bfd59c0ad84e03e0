import type { Plan } from '@strangler/contracts';
import { type RawHeaders, valuesOf } from './headers.js';
import { addressOf, clientAddress, type Trust, withoutMapping } from './trust.js';

/** What is known of the way a request came. */
export type Way = {
  /** The client, or the last proxy in front that nobody vouches for; empty when the connection has no address. */
  readonly clientAddress: string;
  readonly isSecure: boolean;
};

export type Arrival = {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  /** The host the request is for. */
  readonly host: string | undefined;
  /** `1.1` when left out. */
  readonly protocol?: string;
};

// A peer that is not trusted could forge these, and what stands behind believes them.
const OF_A_PROXY = ['x-forwarded-port', 'x-forwarded-prefix', 'x-real-ip'];
const HOST = /^[\w.~!$&'*+;=%-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i;

/**
 * Writes the forwarded headers into `headers`. A trusted peer's are kept and the peer is added to the chain; anybody else's give
 * way to what the connection itself says. `Forwarded` is always made of the X-Forwarded chain: of two chains one could be forged.
 */
export function writeForwarded(
  headers: string[],
  said: RawHeaders,
  { remoteAddress, encrypted, host }: Arrival,
  trust: Trust,
  { trusted, forwarded }: Pick<Plan['proxy'], 'trusted' | 'forwarded'>,
): Way {
  const peer = withoutMapping(remoteAddress);
  const isTrusted = trust.trusts(peer);
  const hops = isTrusted ? listed(said, 'x-forwarded-for') : [];
  const scheme =
    said.length > 0 && trust.believesScheme(peer) ? listed(said, 'x-forwarded-proto').at(-1) : undefined;
  const claimed = scheme?.toLowerCase();
  const isSecure = claimed === 'https' || (claimed !== 'http' && encrypted);
  const proto = isSecure ? 'https' : 'http';
  const saidHost = isTrusted ? listed(said, 'x-forwarded-host').at(-1) : undefined;
  const publicHost = saidHost !== undefined && HOST.test(saidHost) ? saidHost : host;

  if (forwarded !== 'forwarded') {
    headers.push('X-Forwarded-For', hops.length === 0 ? peer : `${hops.join(', ')}, ${peer}`);
    headers.push('X-Forwarded-Proto', proto);
    if (publicHost !== undefined) headers.push('X-Forwarded-Host', publicHost);
  }
  if (forwarded !== 'x-forwarded')
    headers.push('Forwarded', forwardedText([...hops, peer], proto, publicHost));
  if (said.length > 0 && (isTrusted || trusted === undefined))
    for (const name of OF_A_PROXY)
      for (const value of valuesOf(said, name)) headers.push(spelling(said, name), value);
  return { clientAddress: isTrusted ? clientAddress(peer, hops, trust) : peer, isSecure };
}

const listed = (said: RawHeaders, name: string): readonly string[] =>
  valuesOf(said, name)
    .flatMap((value) => value.split(','))
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');

/** A header that goes on keeps the case it came in. */
const spelling = (said: RawHeaders, name: string): string =>
  said.find((text, index) => index % 2 === 0 && text.toLowerCase() === name) ?? name;

/** RFC 7239, 4 and 6: IPv6 in brackets and quotes, "unknown" for whom nobody can name; scheme and host with the last hop. */
function forwardedText(hops: readonly string[], proto: string, host: string | undefined): string {
  const chain = hops.map((hop) => {
    const address = addressOf(hop);
    if (address === undefined) return 'for=unknown';
    return address.includes(':') ? `for="[${address}]"` : `for=${address}`;
  });
  const quoted =
    host === undefined
      ? ''
      : `;host=${/^[\w.-]+$/.test(host) ? host : `"${host.replaceAll(/["\\]/g, '\\$&')}"`}`;
  return `${chain.join(', ')};proto=${proto}${quoted}`;
}
