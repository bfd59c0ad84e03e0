import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';
import type { SessionBridgePlan } from '@strangler/contracts';
import { identityKeyInvalid } from './errors.js';
import type { Claims } from './verify-token.js';

/** Makes identity tokens. */
export type Mint = {
  /** A token about the claims, for one audience; `expiresAt` in milliseconds since 1970. */
  token(claims: Claims, audience: string): Promise<{ readonly text: string; readonly expiresAt: number }>;
  /** The public keys, as RFC 7517 has them. */
  readonly jwks: { readonly keys: readonly JWK[] };
};

/** Reads the keys of the plan: the first one signs, all are published. Throws IDENTITY_KEY_INVALID. */
export async function createMint(
  plan: SessionBridgePlan['token'],
  folder: string,
  now: () => number,
): Promise<Mint> {
  const keys = await Promise.all(
    plan.keys.map(async ({ file, pem }, index) => {
      const name = file ?? `keys[${index}]`;
      try {
        // In the environment a line break is often written as "\n".
        const text =
          file === undefined
            ? (pem as string).replaceAll('\\n', '\n')
            : await readFile(resolve(folder, file), 'utf8');
        const key = createPrivateKey(text);
        const alg = algorithmOf(key);
        const jwk = await exportJWK(createPublicKey(key));
        return { name, key, alg, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' } };
      } catch (error) {
        throw identityKeyInvalid(name, 'it is no private key for EdDSA, ES256 or RS256 in PEM', error);
      }
    }),
  );
  const [first] = keys;
  if (first?.alg !== plan.algorithm)
    throw identityKeyInvalid(
      first?.name ?? '',
      `it is for ${first?.alg ?? 'nothing'}, and the plan says ${plan.algorithm}`,
    );
  const { key, alg, jwk } = first;
  return {
    jwks: { keys: keys.map((each) => each.jwk) },
    async token(claims, audience) {
      const issuedAt = Math.floor(now() / 1_000);
      const text = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg, kid: jwk.kid, typ: 'JWT' })
        .setIssuer(plan.issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + plan.ttlS)
        .sign(key);
      return { text, expiresAt: (issuedAt + plan.ttlS) * 1_000 };
    },
  };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): 'EdDSA' | 'ES256' | 'RS256' {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  // RFC 7518, 3.3: 2048 bits or more.
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048) return 'RS256';
  throw new Error('no algorithm for such a key');
}
