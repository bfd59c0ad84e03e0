import { hash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { StranglerError, TokenIssuer, TokenRequirement } from '@strangler/contracts';
import { authUnavailable, claimNotEnough, scopeMissing, tokenInvalid, tokenMissing } from './errors.js';
import { type RawHeaders, valuesOf } from './headers.js';
import type { IssuerKeys } from './issuer-keys.js';

/** What a verified token says. */
export type Claims = Readonly<Record<string, unknown>>;

/** A request that is not let in, and what its answer has besides the error. */
export type Refusal = {
  readonly kind: 'refused';
  readonly error: StranglerError;
  readonly headers: Readonly<Record<string, string>>;
};

export type Verified = { readonly kind: 'verified'; readonly claims: Claims } | Refusal;

export type Verifier = {
  /** The claims of the bearer token of a request, or why it has none that count. */
  verify(headers: RawHeaders): Promise<Verified>;
  /** Why those claims are not enough for a route; undefined when they are. */
  lacking(claims: Claims, requirement: TokenRequirement): Refusal | undefined;
};

const MAX_TOKENS = 10_000;

/** Verifies the bearer tokens of one issuer. A token is verified once while it is valid and the issuer's keys are the same. */
export function createVerifier(
  name: string,
  plan: TokenIssuer,
  keys: Pick<IssuerKeys, 'key' | 'generation'>,
  now: () => number,
): Verifier {
  const kept = new LRUCache<string, { claims: Claims; until: number; generation: number }>({
    max: MAX_TOKENS,
  });
  // RFC 6750, 3: what is wrong, in a form that clients read.
  const refused = (error: StranglerError, code?: string, more = ''): Refusal => ({
    kind: 'refused',
    error,
    headers: {
      'www-authenticate': `Bearer realm="${name}"${code === undefined ? '' : `, error="${code}"`}${more}`,
    },
  });

  return {
    async verify(headers) {
      const token = bearerToken(headers);
      if (token === undefined) return refused(tokenMissing(name));
      if (token === null)
        return refused(tokenInvalid(name, 'it is not one token of the Bearer scheme'), 'invalid_request');
      // The token itself is a secret: what is kept in memory proves nothing to anybody.
      const id = hash('sha256', token, 'base64url');
      const before = kept.get(id);
      if (before && before.until > now() && before.generation === keys.generation())
        return { kind: 'verified', claims: before.claims };
      const generation = keys.generation();
      try {
        const { payload } = await jwtVerify(token, keys.key, {
          audience: plan.audience,
          algorithms: plan.algorithms,
          clockTolerance: plan.clockToleranceS,
          requiredClaims: ['exp', ...plan.claims],
          currentDate: new Date(now()),
          ...(plan.issuer !== undefined && { issuer: plan.issuer }),
        });
        const until = ((payload.exp as number) + plan.clockToleranceS) * 1_000;
        kept.set(id, {
          claims: payload,
          until,
          generation: generation === 0 ? keys.generation() : generation,
        });
        return { kind: 'verified', claims: payload };
      } catch (error) {
        const reason = reasonOfRefusal(error);
        if (reason !== undefined) return refused(tokenInvalid(name, reason), 'invalid_token');
        return { kind: 'refused', error: authUnavailable(name), headers: { 'retry-after': '2' } };
      }
    },
    lacking(claims, { scopes, claims: rules }) {
      const granted = scopesIn(claims);
      if (!scopes.every((scope) => granted.includes(scope)))
        return refused(scopeMissing(name), 'insufficient_scope', `, scope="${scopes.join(' ')}"`);
      for (const [claim, allowed] of Object.entries(rules))
        if (!fits(Object.hasOwn(claims, claim) ? claims[claim] : undefined, allowed))
          return refused(claimNotEnough(name, claim), 'insufficient_scope');
      return undefined;
    },
  };
}

/** undefined: there is none; null: there is something that is not one bearer token. */
export function bearerToken(headers: RawHeaders): string | null | undefined {
  const given = valuesOf(headers, 'authorization');
  if (given.length === 0) return undefined;
  return given.length === 1 ? (/^bearer +(\S+)$/i.exec(given[0] as string)?.[1] ?? null) : null;
}

/** RFC 8693, 4.2 has one text; others have lists, or "scp". */
const scopesIn = ({ scope, scp }: Claims): readonly unknown[] =>
  [scope, scp].flatMap((given) =>
    typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : [],
  );

function fits(claim: unknown, allowed: TokenRequirement['claims'][string]): boolean {
  if (claim === undefined || claim === null) return false;
  if (allowed === true) return true;
  const values = [allowed].flat();
  return [claim].flat().some((item: unknown) => isPlain(item) && values.includes(String(item)));
}

const isPlain = (item: unknown): item is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof item);

/** In words for the client; undefined: it is not the token that is at fault. */
function reasonOfRefusal(error: unknown): string | undefined {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf'
      ? 'it is not valid yet'
      : `its claim "${error.claim}" is missing or another one`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is not right';
  if (error instanceof errors.JWKSNoMatchingKey) return 'no key of its issuer has signed it';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key has signed it';
  if (
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported
  )
    return 'it is not a signed JWT';
  return undefined;
}
