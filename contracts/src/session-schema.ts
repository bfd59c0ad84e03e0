import { z } from 'zod';
import { identityHeader } from './auth-schema.js';
import { routePatternSchema } from './route-pattern-schema.js';

const cookieName = z.string().regex(/^[!#$%&'*+.^`|~\w-]+$/, 'is not the name of a cookie');
const pointer = z.string().regex(/^(?:\/[^/*]*)+$/, 'is not a JSON pointer without "*"');
const path = z.string().regex(/^\/[\x21-\x7e]*$/, 'is not a path');

const logoutRoute = routePatternSchema('write it as "POST /logout"');

// RFC 7519, 4.1: what the proxy says itself.
const OWN_CLAIMS = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

const introspection = z.strictObject({
  path: path.describe('of legacy; it answers with JSON about the session of the cookies'),
  method: z.enum(['GET', 'POST']).default('GET'),
  map: z
    .record(z.string().min(1), pointer)
    .refine((map) => map['sub'] !== undefined, {
      message: 'has no "sub"',
      params: { remedy: 'add "sub: /id", the place of the id of the user' },
    })
    .refine((map) => OWN_CLAIMS.every((claim) => map[claim] === undefined), {
      message: 'has a claim that the proxy makes itself',
      params: { remedy: `leave out ${OWN_CLAIMS.join(', ')}` },
    })
    .describe('claim of the token: place in the answer. An answer without "sub" is that of nobody'),
  anonymous: z
    .array(z.number().int().min(300).max(499))
    .default([401, 403])
    .describe('statuses that say that nobody is logged in'),
  timeoutMs: z.number().int().min(1).default(2_000),
});

const key = z.strictObject({
  file: z.string().min(1).optional().describe('PEM (PKCS #8) of a private key, relative to the plan'),
  pem: z.string().min(1).optional().describe('the same as text; enters by !env'),
});

const token = z.strictObject({
  issuer: z.string().min(1).describe('"iss" of the tokens'),
  audience: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe('upstream: "aud" of its tokens; the name of the upstream when left out'),
  ttlS: z.number().int().min(5).max(600).default(60),
  algorithm: z.enum(['EdDSA', 'ES256', 'RS256']).default('EdDSA'),
  keys: z
    .array(
      key.refine(({ file, pem }) => (file === undefined) !== (pem === undefined), {
        message: 'names no key, or two',
        params: { remedy: 'write either "file: identity.pem" or "pem: !env IDENTITY_KEY"' },
      }),
    )
    .min(1)
    .max(4)
    .describe('the first one signs, the public halves of all are published'),
});

const origin = z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
  message: 'is not an origin',
  params: { remedy: 'write it as "https://app.shop.example"' },
});

const csrf = z
  .strictObject({
    cookie: cookieName.optional().describe('the value must be what this cookie says (double submit)'),
    session: pointer.optional().describe('the value must be what the answer about the session has here'),
    header: z
      .string()
      .toLowerCase()
      .regex(/^[!#$%&'*+.^`|~\w-]+$/, 'is not the name of a header')
      .optional()
      .describe('where a request has the value'),
    field: z.string().min(1).optional().describe('or the field of a urlencoded form that has it'),
    origins: z.array(origin).default([]).describe('other origins that may send unsafe requests'),
  })
  .refine(({ cookie, session }) => cookie === undefined || session === undefined, {
    message: 'compare with two things',
    params: { remedy: 'write either "cookie" or "session"' },
  })
  .refine(
    ({ cookie, session, header, field }) =>
      (cookie === undefined && session === undefined) === (header === undefined && field === undefined),
    {
      message: 'name only one side of what is compared',
      params: { remedy: 'write "cookie" or "session", and "header" or "field"' },
    },
  );

/** `proxy.sessionBridge`: legacy stays where people log in, services get a signed token in place of its session. */
export const sessionBridgeSchema = z.strictObject({
  cookie: z
    .union([cookieName.transform((name) => [name]), z.array(cookieName).min(1)])
    .describe('the session cookie of legacy, or all cookies that its answer about the session hangs on'),
  introspect: introspection,
  cacheMs: z.number().int().min(0).max(300_000).default(30_000),
  token,
  header: z
    .union([z.literal('authorization'), identityHeader])
    .default('authorization')
    .describe('where the service finds the token'),
  forwardCookie: z.boolean().default(false).describe('true: the service gets the session cookie as well'),
  logout: z.array(logoutRoute).default([]).describe('requests that end a session, as "POST /logout"'),
  csrf: csrf.default({ origins: [] }),
  jwks: z
    .strictObject({
      admin: path.default('/jwks.json'),
      public: path.optional().describe('a path of the proxy itself that shows the public keys, too'),
    })
    .prefault({}),
});
export type SessionBridgePlan = z.infer<typeof sessionBridgeSchema>;
