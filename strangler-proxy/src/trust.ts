import { BlockList, isIP } from 'node:net';
import { parseCidr } from '@strangler/contracts';

/** Whom the proxy believes what is said of the client. Addresses are plain: without port, brackets or the form "::ffff:". */
export type Trust = {
  /** The plan names it as a proxy in front: all that it says is believed. */
  readonly trusts: (address: string) => boolean;
  /** Whether it is believed that the client came by https. */
  readonly believesScheme: (address: string) => boolean;
};

// Where TLS terminators stand: loopback, RFC 1918, link-local (RFC 3927, RFC 4291), RFC 6598 and RFC 4193. No address at all
// is a Unix socket, or a question that nobody sent over a network.
const NEARBY = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1',
  'fe80::/10',
  'fc00::/7',
];
const REMEMBERED = 4_096;

/** Without a list nobody is trusted, but a neighbour is believed the scheme: whoever claims it wrongly deceives itself alone. */
export function createTrust(trusted: readonly string[] | undefined): Trust {
  const isNear = inRanges(NEARBY);
  if (!trusted)
    return { trusts: () => false, believesScheme: (address) => address === '' || isNear(address) };
  const trusts = inRanges(trusted);
  return { trusts, believesScheme: trusts };
}

function inRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed) list.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
  // The same peers ask again and again, and a look into the list costs more than the rest of the entrance.
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const version = isIP(address);
    const is = version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
    if (known.size >= REMEMBERED) known.clear();
    known.set(address, is);
    return is;
  };
}

/** The address of a hop as X-Forwarded-For writes it, with or without port; undefined when it hides or makes no sense. */
export function addressOf(hop: string): string | undefined {
  const text = hop.trim();
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/i.exec(text) ?? [];
  const address = withoutMapping(bracketed ?? plain ?? text);
  return isIP(address) === 0 ? undefined : address;
}

/** IPv4 addresses as a socket for both families gives them. */
export const withoutMapping = (address: string): string =>
  address.startsWith('::ffff:') ? address.replace(/^::ffff:(?=\d+\.)/, '') : address;

/**
 * The first address from the right that no trusted proxy has: whatever stands to the left of it is the client's own word. A
 * hop that cannot be read ends the search, for nobody can say who stands behind it.
 */
export function clientAddress(peer: string, hops: readonly string[], { trusts }: Trust): string {
  let client = peer;
  for (let index = hops.length - 1; index >= 0 && trusts(client); index--) {
    const next = addressOf(hops[index] as string);
    if (next === undefined) break;
    client = next;
  }
  return client;
}
