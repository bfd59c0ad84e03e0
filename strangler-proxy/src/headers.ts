/** Names and values in turn, as they came over the wire: order, case and repetition are kept. */
export type RawHeaders = readonly string[];

// RFC 9110, 7.6.1; "http2-settings" (RFC 7540, 3.2.1) and "proxy-connection" are hop-by-hop in practice.
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Ours, for testers alone: an upstream must not speak in the name of the proxy.
  'x-strangler-explain',
]);
// A Connection header that names these would cut the framing or the routing out of the message.
const NEVER_NAMED = new Set(['content-length', 'host']);

export function* eachHeader(raw: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2)
    yield [raw[index] as string, raw[index + 1] as string];
}

// What follows is asked of every request and every answer: plain loops, and no pass or copy more than is needed.

/** The values of all headers of that name, which is in lower case. */
export function valuesOf(raw: RawHeaders, name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    if (isNamed(raw[index] as string, name)) values.push(raw[index + 1] as string);
  return values;
}

/** Most names differ in length already, which spares the copy in lower case. */
const isNamed = (header: string, name: string): boolean =>
  header.length === name.length && (header === name || header.toLowerCase() === name);

/** Tells, by the lower-case name, which headers belong to one connection and not to the message. */
export function hopByHopOf(raw: RawHeaders): (key: string) => boolean {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (!isNamed(raw[index] as string, 'connection')) continue;
    const value = raw[index + 1] as string;
    // What nearly every client and server says; "keep-alive" is hop-by-hop anyway.
    if (value === 'keep-alive' || value === 'close') continue;
    for (const token of value.split(',')) (named ??= new Set()).add(token.trim().toLowerCase());
  }
  if (named === undefined) return isHopByHop;
  return (key) => isHopByHop(key) || (named.has(key) && !NEVER_NAMED.has(key));
}

const isHopByHop = (key: string): boolean => HOP_BY_HOP.has(key);
const OWN_ID = 'x-request-id';

/** Tells fast that a name, in whatever case, is none of these; it may be one when it has the length and first letter of one. */
export function mayBeOneOf(names: Iterable<string>): (name: string) => boolean {
  const known = new Uint8Array(LONGEST_NAME * LETTERS);
  for (const name of names) known[placeOf(name)] = 1;
  return (name) => name.length < LONGEST_NAME && known[placeOf(name)] === 1;
}

const LONGEST_NAME = 64;
const LETTERS = 32;
// The last five bits of a letter are the same in either case.
const placeOf = (name: string): number => name.length * LETTERS + (name.charCodeAt(0) & (LETTERS - 1));

const mayGoAway = mayBeOneOf([OWN_ID, ...HOP_BY_HOP]);

/** Whether the message names no header of its own as hop-by-hop, so that only HOP_BY_HOP are. */
export const isUsual = (isForThisConnection: (key: string) => boolean): boolean =>
  isForThisConnection === isHopByHop;

/** The headers of an answer that belong to the message and not to one connection, without the id that the proxy gives. */
export function endToEnd(raw: RawHeaders): string[] {
  const isForThisConnection = hopByHopOf(raw);
  const isFast = isUsual(isForThisConnection);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const mayGo = !isFast || mayGoAway(name);
    const key = mayGo ? name.toLowerCase() : '';
    if (!mayGo || (!isForThisConnection(key) && key !== OWN_ID)) kept.push(name, raw[index + 1] as string);
  }
  return kept;
}

/** With that Host header in place of the one there is. */
export function withHost(raw: RawHeaders, host: string | undefined): RawHeaders {
  if (host === undefined) return raw;
  const headers = ['Host', host];
  for (const [name, value] of eachHeader(raw)) if (!isNamed(name, 'host')) headers.push(name, value);
  return headers;
}

/** Lower-case names; what is there twice is joined as RFC 9110, 5.3 and RFC 6265, 5.4 say. */
export function headerObject(raw: RawHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of eachHeader(raw)) {
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? value : `${before}${key === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}
