import { z } from 'zod';

/** Algorithms with a public key alone: with a shared secret, or with none, a verifier could be made to take its own key for a signature. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** Where keys come from: what reads them in clear could be given others, so only a machine of one's own may. */
const keysUrl = z.string().refine(
  (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isOwn =
      url !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|[\w.-]+\.svc)$/.test(url.hostname);
    return url?.username === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && isOwn));
  },
  {
    message: 'is not an address keys can be taken from',
    params: { remedy: 'write a URL with https; http is for loopback and names that end in ".svc"' },
  },
);

/**
 * A header the proxy alone writes, in lower case. Not one of a connection, and not one that says where a request comes from.
 */
export const identityHeader = z
  .string()
  .toLowerCase()
  .refine((text) => /^x-(?!forwarded-|strangler-)[a-z0-9-]+$/.test(text), {
    message: 'is not a header for an identity',
    params: { remedy: 'use a name that begins with "x-", but not with "x-forwarded-" or "x-strangler-"' },
  });

const texts = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
export const claimRules = z
  .record(z.string().min(1), z.union([texts, z.literal(true)]))
  .describe(
    'claim: value, list of values, or true for "is there"; of a claim that is a list one item must fit',
  );
export type ClaimRules = z.infer<typeof claimRules>;

/** `proxy.auth.NAME`: whose bearer tokens are taken, and what a token must say. */
const tokenIssuer = z.strictObject({
  issuer: keysUrl.optional().describe('what "iss" must be; its keys are found by OIDC discovery'),
  jwks: keysUrl.optional().describe('the keys, in place of discovery'),
  audience: texts.describe('what "aud" must have, one of'),
  algorithms: z
    .array(z.enum(SIGNATURE_ALGORITHMS))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe('signatures that are taken'),
  clockToleranceS: z.number().int().min(0).max(300).default(5),
  claims: z.array(z.string().min(1)).default([]).describe('claims a token must have, besides "exp"'),
  forward: z
    .record(identityHeader, z.string().min(1))
    .default({})
    .describe('header of the service: claim; a client cannot send these'),
  forwardToken: z.boolean().default(true).describe('false: the service does not get the token itself'),
  refreshS: z
    .number()
    .int()
    .min(1)
    .default(300)
    .describe('how often the keys are asked for; a key that was taken back counts so much longer'),
  cooldownS: z
    .number()
    .int()
    .min(1)
    .default(30)
    .describe('an unknown key makes the proxy ask at most this often'),
});
export type TokenIssuer = z.infer<typeof tokenIssuer>;

export const authSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'is not a name'),
    tokenIssuer.refine(({ issuer, jwks }) => issuer !== undefined || jwks !== undefined, {
      message: 'has no keys',
      params: { remedy: 'add "issuer" (for OIDC discovery) or "jwks"' },
    }),
  )
  .default({})
  .describe('bearer tokens that routes can ask for');

const requirement = z.strictObject({
  require: z.string().describe('a name of proxy.auth'),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is not a scope')).default([]),
  claims: claimRules.default({}),
});
export type TokenRequirement = z.infer<typeof requirement>;

/** What a route, or a migration for all of its routes, asks of the bearer token; `false` takes the migration's word back. */
export const routeAuthSchema = z.union([
  z.string().transform((require): TokenRequirement => ({ require, scopes: [], claims: {} })),
  requirement,
  z.literal(false),
]);
export const routeSessionSchema = z.union([z.enum(['required', 'optional']), z.literal(false)]);
