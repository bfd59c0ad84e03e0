import type { Duplex } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { decodeBody } from './decode-body.js';
import { editHeaders, withoutHeaders } from './edit-headers.js';
import { editJson } from './edit-json.js';
import { editJsonBody } from './edit-json-body.js';
import { editTarget, paramsOf, valueIn } from './edit-target.js';
import { bodyNotJson, jsonTooLarge, encodingUnknown, transformFailed } from './errors.js';
import { type RawHeaders, valuesOf } from './headers.js';
import type { Route } from './match.js';
import { replaceOrigins } from './replace-origins.js';
import { type PublicSide, rewriteHead } from './rewrite-head.js';
import type { Upstream } from './upstreams.js';

export type AdaptedAnswer = {
  readonly headers: RawHeaders;
  /** What the body goes through, in this order; none: it stays as it is. */
  readonly stages: readonly Duplex[];
  /** The body comes out in one piece, and only then it is known whether there is one. */
  readonly isWhole: boolean;
};

/** What stands between a client and one upstream for one request: the transform of the route and the upstream's rewriting. */
export type Adaptation = {
  readonly target: string;
  readonly headers: RawHeaders;
  /** Set when the body has to be read as a whole before it goes on. */
  readonly body:
    | {
        readonly maxBytes: number;
        readonly edit: (body: Buffer) => Promise<EditedBody | StranglerError>;
        readonly tooLarge: () => StranglerError;
      }
    | undefined;
  readonly inform: (raw: RawHeaders) => RawHeaders;
  readonly answer: (status: number, raw: RawHeaders) => AdaptedAnswer | StranglerError;
};
export type EditedBody = { readonly headers: RawHeaders; readonly body: Buffer };

// A digest or a range of other bytes than the client gets would only mislead it.
const OF_THE_BYTES = [
  'accept-ranges',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'digest',
  'repr-digest',
];
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d+)?$/i;

/** Undefined: nothing is changed for this route and upstream. `route` is given only where the upstream is its service. */
export function adapt(
  accepted: Pick<Accepted, 'target' | 'headers' | 'isSecure'>,
  upstream: Pick<Upstream, 'name' | 'origins' | 'rewrite'>,
  route: Route | undefined,
): Adaptation | undefined {
  const { rewrite } = upstream;
  const transform = route?.transform;
  if (!rewrite && !transform) return undefined;
  const params = transform ? paramsOf(transform.segments, accepted.target) : {};
  const valueOf = valueIn(params);
  const { request, response, maxBodyBytes = 0 } = transform?.rules ?? {};
  const side = publicSide(accepted);
  const origins = rewrite ? [...upstream.origins, ...rewrite.origins] : [];
  const worksOnBodies = response?.json !== undefined || (rewrite?.links.length ?? 0) > 0;

  let headers: RawHeaders = request
    ? editHeaders(accepted.headers, request.headers, valueOf)
    : accepted.headers;
  if (worksOnBodies)
    headers = [
      ...withoutHeaders(headers, ['accept-encoding', 'if-range', 'range']),
      'Accept-Encoding',
      'identity',
    ];
  const edits = request?.json && isJson(headers) ? request.json : undefined;
  const rewritten = (raw: RawHeaders) => (rewrite ? rewriteHead(raw, rewrite, origins, side) : raw);

  return {
    target: transform ? editTarget(accepted.target, transform.rules, params) : accepted.target,
    headers,
    body: edits && {
      maxBytes: maxBodyBytes,
      tooLarge: () => jsonTooLarge(route?.text ?? '', maxBodyBytes),
      async edit(body) {
        const decoded = await decodeBody(body, valuesOf(headers, 'content-encoding')[0], maxBodyBytes);
        if (!decoded.ok)
          return decoded.reason === 'too-large'
            ? jsonTooLarge(route?.text ?? '', maxBodyBytes)
            : encodingUnknown(route?.text ?? '');
        try {
          const edited = Buffer.from(editJson(decoded.body.toString('utf8'), edits));
          const others = withoutHeaders(headers, OF_THE_BYTES);
          return { headers: [...others, 'Content-Length', String(edited.length)], body: edited };
        } catch {
          return bodyNotJson(route?.text ?? '');
        }
      },
    },
    inform: rewritten,
    answer(status, raw) {
      const isWholeAnswer = status >= 200 && status !== 206 && status !== 204;
      const json = isWholeAnswer && status < 300 && isJson(raw) ? response?.json : undefined;
      const links = isWholeAnswer && side !== undefined && isOf(raw, rewrite?.links ?? []);
      const stages: Duplex[] = [];
      let changed: RawHeaders = rewritten(raw);
      if (json || links) {
        const decoder = decoderOf(raw);
        if (decoder === 'unknown') {
          if (json) return transformFailed(upstream.name, 'its encoding cannot be undone');
        } else {
          if (decoder) stages.push(decoder);
          if (json) stages.push(editJsonBody(json, maxBodyBytes, upstream.name));
          if (links) stages.push(replaceOrigins(origins, side.origin));
          changed = withWeakEtag(withoutHeaders(changed, OF_THE_BYTES));
        }
      } else if (status === 304 && worksOnBodies) changed = withWeakEtag(changed);
      if (response) changed = editHeaders(changed, response.headers, valueOf);
      return { headers: changed, stages, isWhole: json !== undefined };
    },
  };
}

/** A host that is no name could carry anything into a page that others get from a cache. */
function publicSide({ headers, isSecure }: Pick<Accepted, 'headers' | 'isSecure'>): PublicSide | undefined {
  const [host = ''] = valuesOf(headers, 'host');
  return HOST.test(host) ? { origin: `${isSecure ? 'https' : 'http'}://${host}`, isSecure } : undefined;
}

const mediaType = (raw: RawHeaders): string =>
  (valuesOf(raw, 'content-type')[0] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
const isJson = (raw: RawHeaders): boolean => /^application\/(?:[\w.+-]+\+)?json$/.test(mediaType(raw));
/** Only where letters of ASCII are bytes of ASCII. */
const isOf = (raw: RawHeaders, types: readonly string[]): boolean =>
  types.includes(mediaType(raw)) &&
  !/charset\s*=\s*"?utf-(?:16|32)/i.test(valuesOf(raw, 'content-type')[0] ?? '');

/** RFC 9110, 8.8.1: the bytes are others than those that were tagged, the meaning is the same. */
function withWeakEtag(raw: RawHeaders): string[] {
  return raw.map((text, index) =>
    index % 2 === 1 && /^etag$/i.test(raw[index - 1] as string) && !text.startsWith('W/')
      ? `W/${text}`
      : text,
  );
}

function decoderOf(raw: RawHeaders): Duplex | 'unknown' | undefined {
  const encoding = valuesOf(raw, 'content-encoding').join(', ').trim().toLowerCase();
  switch (encoding) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      return createInflate();
    default:
      return 'unknown';
  }
}
