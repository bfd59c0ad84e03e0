import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { StranglerError } from '@strangler/contracts';
import type { RequestHead } from './accept.js';
import { requestRefused } from './errors.js';
import { redactTarget } from './redact.js';

/** The head of a request as accept wants it, whichever HTTP it came by. */
export function headOf(request: IncomingMessage): RequestHead | StranglerError {
  // Node's parser for HTTP/1.1 takes "HTTP/2.0" in a request line, too.
  if ('stream' in request) return headOfStream(request as unknown as Http2ServerRequest);
  return {
    method: request.method as string,
    url: request.url as string,
    rawHeaders: request.rawHeaders,
    remoteAddress: request.socket.remoteAddress ?? '',
    encrypted: (request.socket as TLSSocket).encrypted ?? false,
    ...(request.httpVersion !== '1.1' && { protocol: request.httpVersion }),
  };
}

// What a request line of HTTP/1.1 can carry; the frames of HTTP/2 carry any byte.
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;

/**
 * RFC 9113, 8.3.1: the authority stands for the Host header, and two that differ are malformed; 8.2.3: a cookie may come in
 * crumbs, which go on as one header, since an upstream of HTTP/1.1 reads only one.
 */
function headOfStream({
  method,
  url,
  rawHeaders,
  authority,
  stream,
}: Http2ServerRequest): RequestHead | StranglerError {
  const asked = () => `${method} ${redactTarget(url)}`;
  const kept: string[] = [];
  const crumbs: string[] = [];
  let cookieAt = -1;
  let host: string | undefined = authority === '' ? undefined : authority;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    if (name.startsWith(':')) continue;
    if (name === 'host') {
      if (host !== undefined && host !== value)
        return requestRefused(asked(), 'its authority and its host differ');
      host = value;
    } else if (name === 'cookie') {
      if (cookieAt < 0) {
        cookieAt = kept.length;
        kept.push(name, '');
      }
      crumbs.push(value);
    } else kept.push(name, value);
  }
  if (cookieAt >= 0) kept[cookieAt + 1] = crumbs.join('; ');
  if (host === undefined) return requestRefused(asked(), 'it names no host');
  if (!TARGET.test(url)) return requestRefused(method, 'its path has bytes that no path can have');
  return {
    method,
    url,
    rawHeaders: ['host', host, ...kept],
    remoteAddress: stream.session?.socket.remoteAddress ?? '',
    encrypted: true,
    hasBody: !stream.endAfterHeaders,
    protocol: '2',
  };
}
