/** Names and values in turn, as they came over the wire: order, case and repetition are kept. */
export type RawHeaders = readonly string[];

// RFC 9110, 7.6.1; "http2-settings" (RFC 7540, 3.2.1) and "proxy-connection" are hop-by-hop in practice.
const HOP_BY_HOP = new Set([
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

export const valuesOf = (raw: RawHeaders, name: string): readonly string[] =>
  [...eachHeader(raw)].filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

/** The headers that belong to the message and not to one connection. */
export function endToEnd(raw: RawHeaders): string[] {
  let named: Set<string> | undefined;
  for (const [name, value] of eachHeader(raw))
    if (name.toLowerCase() === 'connection')
      for (const token of value.split(',')) (named ??= new Set()).add(token.trim().toLowerCase());
  const kept: string[] = [];
  for (const [name, value] of eachHeader(raw)) {
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || (named?.has(key) === true && !NEVER_NAMED.has(key))) continue;
    kept.push(name, value);
  }
  return kept;
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
