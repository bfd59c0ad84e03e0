import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export type JsonAnswer = { readonly status: number; readonly body: unknown; readonly text: string };

/**
 * One JSON request over HTTP. Without `timeoutMs` it waits as long as the answer takes: a verification may read for
 * an hour, and `fetch` gives up on the head of an answer after five minutes.
 */
export function requestJson(
  method: 'GET' | 'POST',
  url: string,
  options: {
    readonly body?: unknown;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<JsonAnswer> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const signals = [
    ...(options.signal ? [options.signal] : []),
    ...(options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)]),
  ];
  return new Promise((done, fail) => {
    const request = url.startsWith('https:') ? tlsRequest : plainRequest;
    const sent = request(
      url,
      {
        method,
        agent: false,
        signal: AbortSignal.any(signals),
        headers: {
          ...options.headers,
          accept: 'application/json',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', fail);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          done({ status: response.statusCode ?? 0, text, body: parse(text) });
        });
      },
    );
    sent.once('error', (error) =>
      fail(
        options.timeoutMs !== undefined && (error.cause as Error | undefined)?.name === 'TimeoutError'
          ? new Error(`no answer within ${options.timeoutMs} ms`, { cause: error })
          : error,
      ),
    );
    sent.end(body);
  });
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The `{code, message}` of an error answer, if it is one. */
export function errorIn(body: unknown): { readonly code: string; readonly message: string } | undefined {
  if (body === null || typeof body !== 'object') return undefined;
  const { code, message } = body as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string' ? { code, message } : undefined;
}
