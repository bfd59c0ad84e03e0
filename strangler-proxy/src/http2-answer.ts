import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';

// RFC 9113, 8.2.2: a message with one of these is malformed. node:http2 drops them too, each with a warning of the process.
const OF_A_CONNECTION = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

type Given = readonly string[] | OutgoingHttpHeaders | undefined;

/** Makes an answer over HTTP/2 one that the pipeline can treat as any other: what node:http2 does otherwise is mended here. */
export function fitAnswer(answer: Http2ServerResponse): ServerResponse {
  const { stream } = answer;
  const writeHead = answer.writeHead.bind(answer) as unknown as (status: number, headers: Given) => unknown;
  const addTrailers = answer.addTrailers.bind(answer);
  Object.defineProperties(answer, {
    destroyed: { get: () => stream.destroyed || stream.closed },
    closed: { get: () => stream.closed },
    // There are no reason phrases, and no header that belongs to a connection.
    writeHead: {
      value: (status: number, phrase?: string | Given, headers?: Given) => {
        writeHead(status, withoutConnection(typeof phrase === 'object' ? phrase : headers));
        return answer;
      },
    },
    addTrailers: {
      value: (trailers: OutgoingHttpHeaders | readonly (readonly [string, string])[]) =>
        addTrailers(
          Array.isArray(trailers) ? Object.fromEntries(trailers) : (trailers as OutgoingHttpHeaders),
        ),
    },
    // Ended without an error code, an answer that was cut would look whole.
    destroy: {
      value: () => {
        if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        return answer;
      },
    },
  });
  return answer as unknown as ServerResponse;
}

function withoutConnection(headers: Given): Given {
  if (headers === undefined) return undefined;
  if (!Array.isArray(headers))
    return Object.fromEntries(
      Object.entries(headers).filter(([name]) => !OF_A_CONNECTION.has(name.toLowerCase())),
    );
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!OF_A_CONNECTION.has(name.toLowerCase())) kept.push(name, headers[index + 1] as string);
  }
  return kept;
}
