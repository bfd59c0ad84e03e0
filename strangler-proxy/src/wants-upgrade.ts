import type { IncomingMessage } from 'node:http';

// Offers of other versions of HTTP or of TLS on this very connection; what asks for them is a plain request as well (RFC 9110, 7.8).
const OF_THE_CONNECTION = /^(?:h2c?|http\/.*|tls\/.*)$/i;

/** The protocols a request wants to change to, as it names them; undefined: it is answered as a plain request. */
export function wantsUpgrade({
  method,
  headers,
}: Pick<IncomingMessage, 'method' | 'headers'>): string | undefined {
  if (method !== 'GET' || headers.upgrade === undefined) return undefined;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return undefined;
  const wanted = headers.upgrade
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '' && !OF_THE_CONNECTION.test(protocol));
  return wanted.length === 0 ? undefined : wanted.join(', ');
}
