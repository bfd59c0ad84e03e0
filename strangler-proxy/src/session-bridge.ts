import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseCookie, parseSetCookie } from 'cookie';
import type { SessionBridgePlan } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { crossSiteReason, isSafe } from './cross-site.js';
import { csrfRefused, sessionMissing, sessionUnavailable } from './errors.js';
import { type RawHeaders, valuesOf } from './headers.js';
import { cookiesNamed } from './identity-headers.js';
import { createIntrospect, type Introspected, introspectionHeaders } from './introspect.js';
import type { Mint } from './mint.js';
import { fieldOf, readForm } from './read-form.js';
import { createSessionCache } from './session-cache.js';
import type { Upstream } from './upstreams.js';
import type { Refusal } from './verify-token.js';

/** Who a request comes from, by its session in legacy. */
export type Crossing =
  | {
      readonly kind: 'crossed';
      /** undefined: nobody is logged in, and nobody has to be. */
      readonly token: string | undefined;
      readonly setCookies: readonly string[];
      /** Of a form that had to be read; it is to be sent in place of the request's own. */
      readonly body?: Buffer | undefined;
    }
  /** `mayFallBack`: not the request is at fault, or legacy has the better answer, such as its login page. */
  | (Refusal & { readonly mayFallBack: boolean; readonly setCookies: readonly string[] });

export type SessionBridge = {
  cross(
    accepted: Accepted,
    asked: { readonly audience: string; readonly isRequired: boolean; readonly request?: IncomingMessage },
  ): Promise<Crossing>;
  /** Whether the request has a session that could end. */
  hasSession(accepted: Accepted): boolean;
  /** A logout begins or has ended: nothing counts that legacy said before. */
  end(accepted: Accepted): void;
  /** Legacy has answered a request of the session: it may have changed or ended it. */
  answered(accepted: Accepted, answer: RawHeaders): void;
};

type Kept = Introspected & {
  readonly tokens: Map<string, { readonly text: string; readonly expiresAt: number }>;
};

const MAX_SESSIONS = 20_000;
const MAX_ASKING = 256;
// Nobody, or no answer, is soon something else: a login, a restart.
const NEGATIVE_MS = 1_000;

export type SessionBridgeParts = {
  readonly plan: SessionBridgePlan;
  readonly legacy: Upstream;
  readonly mint: Mint;
  readonly now: () => number;
  /** What became of asking legacy. */
  readonly onIntrospected: (kind: Introspected['kind'], reason?: string) => void;
};

/** Turns sessions of legacy into identity tokens. Cookies are known here by keyed hashes alone, with a key that dies with the process. */
export function createSessionBridge({
  plan,
  legacy,
  mint,
  now,
  onIntrospected,
}: SessionBridgeParts): SessionBridge {
  const introspect = createIntrospect(plan, legacy);
  const cache = createSessionCache<Kept>({ max: MAX_SESSIONS, now });
  const secret = randomBytes(32);
  const hashed = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url');
  const sessionOf = ({ cookies, headers }: Pick<Accepted, 'cookies' | 'headers'>) => {
    const named = cookiesNamed(cookies, plan.cookie);
    if (named.length === 0) return undefined;
    const asking = introspectionHeaders(headers, named);
    return { ids: named.map(hashed), asking, asker: hashed(asking.join('\n')) };
  };
  let running = 0;
  const askLegacy = async (asking: readonly string[]): Promise<Introspected> => {
    if (running >= MAX_ASKING)
      return { kind: 'unavailable', reason: `${MAX_ASKING} sessions are being asked for`, setCookies: [] };
    running++;
    return introspect(asking).finally(() => running--);
  };
  const ask = async (asking: readonly string[]) => {
    const answer = await askLegacy(asking);
    onIntrospected(answer.kind, answer.kind === 'unavailable' ? answer.reason : undefined);
    const kept: Kept = { ...answer, setCookies: [], tokens: new Map() };
    const isChanged = answer.setCookies.some((line) => changes(line, asking));
    const keepMs = isChanged
      ? 0
      : answer.kind === 'user'
        ? plan.cacheMs
        : Math.min(plan.cacheMs, NEGATIVE_MS);
    return { value: { ...kept, setCookies: answer.setCookies }, kept, keepMs };
  };

  const { csrf } = plan;
  const isTokenChecked = csrf.header !== undefined || csrf.field !== undefined;
  const refused = (
    error: Refusal['error'],
    mayFallBack: boolean,
    headers: Refusal['headers'] = {},
    setCookies: readonly string[] = [],
  ): Crossing => ({ kind: 'refused', error, headers, mayFallBack, setCookies });

  return {
    async cross(accepted, { audience, isRequired, request }) {
      const session = sessionOf(accepted);
      const isUnsafe = !isSafe(accepted.method);
      if (session && isUnsafe) {
        const reason = crossSiteReason(accepted, csrf, isTokenChecked);
        if (reason !== undefined) return refused(csrfRefused(reason), false);
      }
      const known = session && (await cache.get(session.ids, session.asker, () => ask(session.asking)));
      if (session && (!known || known.kind === 'unavailable'))
        return refused(sessionUnavailable(), true, { 'retry-after': '1' });
      const setCookies = known?.setCookies ?? [];
      if (known?.kind !== 'user') {
        if (!isRequired) return { kind: 'crossed', token: undefined, setCookies };
        return refused(sessionMissing(), true, { 'www-authenticate': 'Cookie realm="session"' }, setCookies);
      }
      let body: Buffer | undefined;
      if (isUnsafe && isTokenChecked) {
        const [inHeader] = csrf.header === undefined ? [] : valuesOf(accepted.headers, csrf.header);
        if (inHeader === undefined && csrf.field !== undefined && request && accepted.hasBody)
          body = await readForm(request);
        const given = inHeader ?? (body && csrf.field !== undefined ? fieldOf(body, csrf.field) : undefined);
        const expected =
          csrf.cookie === undefined ? known.csrf : (parseCookie(accepted.cookies)[csrf.cookie] ?? null);
        if (!isEqual(given, expected))
          return refused(csrfRefused('it has no valid token'), false, {}, setCookies);
      }
      return { kind: 'crossed', token: await tokenFor(known, audience), setCookies, body };
    },
    hasSession: ({ cookies }) => cookiesNamed(cookies, plan.cookie).length > 0,
    end(accepted) {
      const session = sessionOf(accepted);
      if (session) cache.revoke(session.ids);
    },
    answered(accepted, answer) {
      const session = sessionOf(accepted);
      if (!session) return;
      if (valuesOf(answer, 'set-cookie').some((line) => changes(line, session.asking)))
        cache.revoke(session.ids);
      // A login may keep the cookie as it is.
      else if (!isSafe(accepted.method))
        cache.revokeUnless(session.ids, session.asker, ({ kind }) => kind === 'user');
    },
  };

  async function tokenFor(known: Kept & { readonly kind: 'user' }, audience: string): Promise<string> {
    const before = known.tokens.get(audience);
    // What a service gets is good for at least half of its time.
    if (before && before.expiresAt - now() > plan.token.ttlS * 500) return before.text;
    const made = await mint.token(known.claims, audience);
    known.tokens.set(audience, made);
    return made.text;
  }

  /** Whether a Set-Cookie gives the session another cookie than it has, or none. One that only prolongs it changes nothing. */
  function changes(line: string, asking: readonly string[]): boolean {
    const { name, value, maxAge, expires } = parseSetCookie(line);
    if (!plan.cookie.includes(name)) return false;
    const isOver = maxAge === undefined ? expires !== undefined && expires.getTime() <= now() : maxAge <= 0;
    const current = parseCookie(valuesOf(asking, 'cookie')[0] ?? '')[name];
    return isOver || value !== current;
  }
}

/** Takes the same time however much of it is right. */
function isEqual(given: string | undefined, expected: string | null): boolean {
  if (given === undefined || given === '' || expected === null || expected === '') return false;
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one as Buffer, other as Buffer);
}
