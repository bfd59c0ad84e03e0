import { reasonOf } from '@strangler/contracts';
import type { Dispatcher } from 'undici';
import type { Answer } from './compare.js';
import { decodeBody } from './decode-body.js';
import { eachHeader, type RawHeaders, withHost } from './headers.js';
import type { Upstream } from './upstreams.js';

/** Why an answer cannot be compared. */
export type NotAnswered = { readonly reason: string; readonly detail: string };

export type Ask = {
  readonly upstream: Upstream;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly deadlineMs: number;
  readonly maxBodyBytes: number;
  readonly signal: AbortSignal;
};

// With these an upstream may send a part of the answer, or none, and rightly so.
const CONDITIONS = new Set([
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/** The stages of an upstream's own times, which hold for shadows too; undici watches those. */
const LATE: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'timeouts.headMs',
  UND_ERR_BODY_TIMEOUT: 'timeouts.idleMs',
};

/** The headers of a copy of a request: no conditions, and a mark by which the service can tell it from a client's. */
export function shadowHeaders(raw: RawHeaders): string[] {
  const headers: string[] = [];
  for (const [name, value] of eachHeader(raw))
    if (!CONDITIONS.has(name.toLowerCase())) headers.push(name, value);
  return [...headers, 'X-Strangler-Shadow', '1'];
}

/** Asks an upstream, over the connections for shadows, on behalf of nobody: bounded in time and bytes, and whatever goes wrong is a value. */
export async function ask(options: Ask): Promise<Answer | NotAnswered> {
  const { upstream, target, headers, deadlineMs, maxBodyBytes, signal } = options;
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const { shadowPool, hostHeader, servername, host } = upstream.choose();
    const response = await shadowPool.request({
      method: 'GET',
      path: target,
      headers: [...withHost(headers, hostHeader)],
      servername: servername ?? host,
      signal: AbortSignal.any([deadline, signal]),
    } as Dispatcher.RequestOptions);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      // Leaving the loop ends the connection; the rest of the answer is never read.
      if (bytes > maxBodyBytes) return { reason: 'too-large', detail: `more than ${maxBodyBytes} bytes` };
    }
    const flat = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
    );
    const decoded = await decodeBody(Buffer.concat(chunks), flat['content-encoding'], maxBodyBytes);
    if (!decoded.ok) return { reason: decoded.reason, detail: flat['content-encoding'] ?? '' };
    return { status: response.statusCode, headers: flat, body: decoded.body };
  } catch (error) {
    if (signal.aborted) return { reason: 'stopped', detail: 'the proxy is stopping' };
    if (deadline.aborted) return { reason: 'deadline', detail: `no whole answer within ${deadlineMs} ms` };
    const late = LATE[(error as NodeJS.ErrnoException).code ?? ''];
    if (late) return { reason: 'deadline', detail: `not within the upstream's ${late}` };
    return { reason: 'service-unreachable', detail: reasonOf(error) };
  }
}
