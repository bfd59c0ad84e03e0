import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Plan, TokenRequirement } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { IdentityCounters } from './count-identities.js';
import { tokenInvalid } from './errors.js';
import type { RawHeaders } from './headers.js';
import { claimHeader, withoutCookies, withoutHeaders } from './identity-headers.js';
import { createIssuerKeys } from './issuer-keys.js';
import type { Verdict } from './judge.js';
import { recogniseLogout } from './logout-routes.js';
import { createMint } from './mint.js';
import { headersWritten } from './route-guard.js';
import { createSessionBridge } from './session-bridge.js';
import type { Upstream } from './upstreams.js';
import { bearerToken, type Claims, createVerifier, type Refusal, type Verifier } from './verify-token.js';

/** A request on its way to the service: as the service gets it, or why it does not. */
export type Passage =
  | {
      readonly kind: 'admitted';
      readonly accepted: Accepted;
      readonly setCookies: readonly string[];
      readonly body?: Buffer | undefined;
    }
  | (Refusal & { readonly mayFallBack: boolean; readonly setCookies: readonly string[] });

export type Authenticate = {
  /** The public keys of identity tokens; null without a session bridge. */
  readonly jwks: string | null;
  /** The request with its verified claims, where the plan's identity hangs on them; undefined: it stays as it is, and nothing waits. */
  recognise(accepted: Accepted): Promise<Accepted> | undefined;
  /** Asked for requests that go to the service of a route with a guard. `request` is there for one whose body may have to be read. */
  admit(verdict: Verdict, request?: IncomingMessage): Promise<Passage>;
  /** Watches a request that may end or change a session; what it gives sees the headers of legacy's answer. */
  watch(verdict: Verdict, response: ServerResponse): ((answer: RawHeaders) => void) | undefined;
  /** Whether anything here has to do with the request, as long as its route asks for nothing: a token, a session, or the keys. */
  concerns(accepted: Accepted): boolean;
  /** Whether the proxy answers this request itself, with its public keys. */
  isForKeys(accepted: Accepted): boolean;
  stop(): void;
};

export type AuthenticateParts = {
  readonly plan: Plan;
  readonly legacy: Upstream;
  readonly count: IdentityCounters;
  readonly log: Logger;
  readonly now: () => number;
};

/**
 * Verifies who asks before a service is asked: the bearer token of an issuer, or the session of legacy. undefined: the plan asks for neither. Throws
 * IDENTITY_KEY_INVALID.
 */
export async function createAuthenticate(parts: AuthenticateParts): Promise<Authenticate | undefined> {
  const { plan, legacy, count, log, now } = parts;
  const { auth, sessionBridge, identity } = plan.proxy;
  if (Object.keys(auth).length === 0 && !sessionBridge) return undefined;

  const issuers = new Map<string, { readonly verifier: Verifier; readonly stop: () => void }>();
  const mint = sessionBridge && (await createMint(sessionBridge.token, plan.folder, now));
  for (const [name, issuer] of Object.entries(auth)) {
    const keys = createIssuerKeys(name, issuer, { log, now });
    issuers.set(name, { verifier: createVerifier(name, issuer, keys, now), stop: () => keys.stop() });
    keys.start();
  }
  const bridge =
    sessionBridge &&
    mint &&
    createSessionBridge({
      plan: sessionBridge,
      legacy,
      mint,
      now,
      onIntrospected(answer, reason) {
        count.introspections.inc({ answer });
        if (reason !== undefined) log.warn({ reason }, 'legacy could not be asked whose session it is');
      },
    });
  const written = new Set(headersWritten(plan.proxy));
  const isLogout = recogniseLogout(plan);
  const sources = [
    identity.user,
    identity.session,
    identity.tenant,
    ...Object.values(identity.properties ?? {}),
  ];
  const hangsOnClaims = sources.some((source) => source !== undefined && 'claim' in source);
  const identifying = hangsOnClaims ? (identity.auth ?? Object.keys(auth)[0]) : undefined;

  const verify = async (name: string, headers: RawHeaders) => {
    const result = await (issuers.get(name) as { verifier: Verifier }).verifier.verify(headers);
    count.tokens.inc({ auth: name, outcome: result.kind === 'verified' ? 'verified' : result.error.code });
    return result;
  };
  const refuse = (refusal: Refusal): Passage => ({
    ...refusal,
    // A token that is not right is nobody's, whoever would answer; keys that cannot be had are no fault of the client.
    mayFallBack: refusal.error.status === 503,
    setCookies: [],
  });

  async function byToken(
    accepted: Accepted,
    headers: string[],
    requirement: TokenRequirement,
  ): Promise<Passage> {
    const name = requirement.require;
    const verified = await verify(name, accepted.headers);
    if (verified.kind === 'refused') return refuse(verified);
    const { verifier } = issuers.get(name) as { verifier: Verifier };
    const lacking = verifier.lacking(verified.claims, requirement);
    if (lacking) return refuse(lacking);
    const { forward, forwardToken } = auth[name] as Plan['proxy']['auth'][string];
    const kept = forwardToken ? headers : withoutHeaders(headers, new Set(['authorization']));
    for (const [header, claim] of Object.entries(forward)) {
      const value = claimOf(verified.claims, claim);
      if (value === undefined) continue;
      const text = claimHeader(value);
      if (text === null)
        return refuse({
          kind: 'refused',
          error: tokenInvalid(name, `its claim "${claim}" cannot be sent on in a header`),
          headers: { 'www-authenticate': `Bearer realm="${name}", error="invalid_token"` },
        });
      kept.push(header, text);
    }
    return { kind: 'admitted', accepted: { ...accepted, headers: kept }, setCookies: [] };
  }

  async function bySession(
    accepted: Accepted,
    headers: string[],
    {
      route,
      isRequired,
      request,
    }: { route: string; isRequired: boolean; request?: IncomingMessage | undefined },
  ): Promise<Passage> {
    if (!bridge || !sessionBridge)
      return { kind: 'admitted', accepted: { ...accepted, headers }, setCookies: [] };
    const audience = sessionBridge.token.audience[route] ?? route;
    const crossing = await bridge.cross(accepted, { audience, isRequired, ...(request && { request }) });
    if (crossing.kind === 'refused') {
      count.sessions.inc({ outcome: crossing.error.code });
      return crossing;
    }
    const { token, setCookies, body } = crossing;
    count.sessions.inc({ outcome: token === undefined ? 'nobody' : 'user' });
    const { header, cookie, forwardCookie } = sessionBridge;
    const bare = forwardCookie ? headers : withoutCookies(headers, cookie);
    const kept = withoutHeaders(bare, new Set([header]));
    if (token !== undefined)
      kept.push(...(header === 'authorization' ? ['Authorization', `Bearer ${token}`] : [header, token]));
    return { kind: 'admitted', accepted: { ...accepted, headers: kept }, setCookies, body };
  }

  const isForKeys = ({ method, path }: Accepted): boolean =>
    path !== null && path === sessionBridge?.jwks.public && (method === 'GET' || method === 'HEAD');
  return {
    jwks: mint ? JSON.stringify(mint.jwks) : null,
    recognise(accepted) {
      if (identifying === undefined || typeof bearerToken(accepted.headers) !== 'string') return undefined;
      return verify(identifying, accepted.headers).then((verified) =>
        verified.kind === 'verified' ? { ...accepted, claims: verified.claims } : accepted,
      );
    },
    async admit({ accepted, route }, request) {
      const headers = withoutHeaders(accepted.headers, written);
      const { auth: requirement, session } = route?.guard ?? {};
      if (requirement) return byToken(accepted, headers, requirement);
      if (session && route)
        return bySession(accepted, headers, {
          route: route.upstream,
          isRequired: session === 'required',
          request,
        });
      return { kind: 'admitted', accepted: { ...accepted, headers }, setCookies: [] };
    },
    watch({ accepted, decision }, response) {
      if (!bridge || !bridge.hasSession(accepted)) return undefined;
      const isEnding = isLogout(accepted);
      if (isEnding) {
        // What is asked between the two may still be told that the session lives.
        bridge.end(accepted);
        response.once('close', () => bridge.end(accepted));
      }
      if (decision.side !== 'legacy' && !isEnding) return undefined;
      return (answer) => (isEnding ? bridge.end(accepted) : bridge.answered(accepted, answer));
    },
    concerns: (accepted) =>
      (identifying !== undefined && typeof bearerToken(accepted.headers) === 'string') ||
      bridge?.hasSession(accepted) === true ||
      isForKeys(accepted),
    isForKeys,
    stop() {
      for (const { stop } of issuers.values()) stop();
    },
  };
}

/** The verdict on a request that is not let in: where legacy may answer, it does, as if the request had never been diverted. */
export function turnedAway(verdict: Verdict, { mayFallBack, error }: Passage & { kind: 'refused' }): Verdict {
  const { decision } = verdict;
  if (!mayFallBack || !decision.fallback) return verdict;
  const reason = `${decision.reason}, but it is not let in there (${error.code}), so legacy answers`;
  return {
    ...verdict,
    decision: { ...decision, upstream: 'legacy', side: 'legacy', fallback: false, reason },
  };
}

/** The request as a shadow of it goes to the service; undefined when the service would not have been asked. */
export async function admitted(authenticate: Authenticate, verdict: Verdict): Promise<Accepted | undefined> {
  const admission = await authenticate.admit(verdict);
  return admission.kind === 'admitted' ? admission.accepted : undefined;
}

export const refusalHeaders = ({ headers, setCookies }: Passage & { kind: 'refused' }) =>
  setCookies.length === 0 ? headers : { ...headers, 'set-cookie': [...setCookies] };

/** The page of the admin port that shows the public keys. */
export const keysPage = ({ proxy }: Plan, authenticate: Authenticate | undefined): Record<string, string> =>
  proxy.sessionBridge && authenticate?.jwks ? { [proxy.sessionBridge.jwks.admin]: authenticate.jwks } : {};

/** Answers with the public keys. */
export function showKeys(response: ServerResponse, { jwks }: Authenticate): void {
  const body = jwks ?? '';
  response.writeHead(200, {
    'content-type': 'application/jwk-set+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'public, max-age=60',
  });
  response.end(body);
}

const claimOf = (claims: Claims, name: string): unknown =>
  Object.hasOwn(claims, name) && claims[name] !== null ? claims[name] : undefined;
