import { parseSetCookie } from 'cookie';
import type { Dispatcher } from 'undici';
import type { SessionBridgePlan } from '@strangler/contracts';
import { reasonOf } from '@strangler/contracts';
import { eachHeader, type RawHeaders } from './headers.js';
import { parsePointer, type Pointer } from './pointer.js';
import { withHost } from './headers.js';
import type { Upstream } from './upstreams.js';
import type { Claims } from './verify-token.js';

/** What legacy says of a session. */
export type Introspected = (
  | { readonly kind: 'user'; readonly claims: Claims; readonly csrf: string | null }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'unavailable'; readonly reason: string }
) & {
  /** Session cookies legacy gave with its answer, to be handed on: it may prolong them whenever it is asked. */
  readonly setCookies: readonly string[];
};

const MAX_BYTES = 65_536;
// Everything legacy may make its answer hang on, and nothing else: the answer is kept for requests that are alike in all of this.
const ASKED_WITH = new Set([
  'host',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
]);

/** The headers legacy is asked with for such a request. */
export function introspectionHeaders(headers: RawHeaders, cookies: readonly string[]): string[] {
  const asked: string[] = [];
  for (const [name, value] of eachHeader(headers))
    if (ASKED_WITH.has(name.toLowerCase())) asked.push(name, value);
  return [
    ...asked,
    'Cookie',
    cookies.join('; '),
    'Accept',
    'application/json',
    'Accept-Encoding',
    'identity',
  ];
}

/** Asks legacy whose session it is. Whatever goes wrong is a value. */
export function createIntrospect(
  { introspect: plan, cookie, csrf }: Pick<SessionBridgePlan, 'introspect' | 'cookie' | 'csrf'>,
  legacy: Pick<Upstream, 'choose'>,
): (headers: readonly string[]) => Promise<Introspected> {
  const places = Object.entries(plan.map).map(([claim, text]) => [claim, parsePointer(text)] as const);
  const csrfPlace = csrf.session === undefined ? undefined : parsePointer(csrf.session);

  return async (headers) => {
    const deadline = AbortSignal.timeout(plan.timeoutMs);
    const unavailable = (reason: string): Introspected => ({ kind: 'unavailable', reason, setCookies: [] });
    try {
      const { pool, hostHeader, servername, host } = legacy.choose();
      const answer = await pool.request({
        method: plan.method,
        path: plan.path,
        headers: [...withHost(headers, hostHeader)],
        servername: servername ?? host,
        signal: deadline,
      } as Dispatcher.RequestOptions);
      const setCookies = [answer.headers['set-cookie'] ?? []]
        .flat()
        .filter((line) => cookie.includes(parseSetCookie(line).name));
      if (answer.statusCode !== 200) {
        await answer.body.dump();
        return plan.anonymous.includes(answer.statusCode)
          ? { kind: 'nobody', setCookies }
          : unavailable(`legacy answers ${answer.statusCode}`);
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body) {
        bytes += (chunk as Buffer).length;
        if (bytes > MAX_BYTES) return unavailable(`legacy answers more than ${MAX_BYTES} bytes`);
        chunks.push(chunk as Buffer);
      }
      const said: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const claims: Record<string, unknown> = {};
      for (const [claim, place] of places) {
        const value = at(said, place);
        if (value !== undefined && value !== null) claims[claim] = value;
      }
      const { sub } = claims;
      if (sub === undefined || sub === '') return { kind: 'nobody', setCookies };
      if (typeof sub !== 'string' && typeof sub !== 'number') return unavailable('"sub" is no id');
      const token = csrfPlace && at(said, csrfPlace);
      return {
        kind: 'user',
        claims: { ...claims, sub: String(sub) },
        csrf: typeof token === 'string' && token !== '' ? token : null,
        setCookies,
      };
    } catch (error) {
      if (deadline.aborted) return unavailable(`legacy does not answer within ${plan.timeoutMs} ms`);
      return unavailable(error instanceof SyntaxError ? 'legacy answers no JSON' : reasonOf(error));
    }
  };
}

function at(value: unknown, place: Pointer): unknown {
  return place.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === 'object' && Object.hasOwn(inner, key)
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  );
}
