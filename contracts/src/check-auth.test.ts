import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';
import { problemLine } from './problem.js';

const BRIDGE =
  'sessionBridge: { cookie: sid, introspect: { path: /me, map: { sub: /id } }, token: { issuer: shop, keys: [{ pem: !env KEY }] } }';
const AUTH = 'auth: { main: { issuer: https://id.test, audience: shop } }';

function parse(proxy: string, migration = '', route = 'GET /a') {
  return parsePlan(
    `version: 1
proxy:
  listen: 8080
  secret: !env SECRET
  ${proxy.replaceAll('\n', '\n  ')}
control: { ledger: !env LEDGER }
flags: { file: flags.json }
upstreams: { legacy: http://127.0.0.1:3000, catalog: http://127.0.0.1:3100 }
migrations:
  catalog:
    owner: team
    upstream: catalog
    ${migration}
    routes: [${route}]
`,
    'plan.yaml',
    { SECRET: '0123456789abcdef', LEDGER: 'mysql://u:p@h:1/l', KEY: '-----BEGIN PRIVATE KEY-----' },
  );
}
const problemsOf = (...text: Parameters<typeof parse>): string[] => {
  const loaded = parse(...text);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
};

describe('what a plan asks of tokens and sessions', () => {
  it('is short, and has safe defaults', () => {
    const loaded = parse(
      `${AUTH}\n${BRIDGE}\nidentity: { user: { claim: sub } }`,
      'session: required',
      'GET /a, { match: GET /b, session: false, auth: main }, { match: POST /c, session: false, auth: { require: main, scopes: [w] } }',
    );
    if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
    const { auth, sessionBridge } = loaded.plan.proxy;
    expect(auth['main']).toMatchObject({
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      clockToleranceS: 5,
      forwardToken: true,
    });
    expect(sessionBridge).toMatchObject({
      cookie: ['sid'],
      cacheMs: 30_000,
      header: 'authorization',
      forwardCookie: false,
      csrf: { origins: [] },
      token: { ttlS: 60, algorithm: 'EdDSA' },
      jwks: { admin: '/jwks.json' },
    });
    expect(loaded.plan.migrations['catalog']?.routes[1]?.auth).toEqual({
      require: 'main',
      scopes: [],
      claims: {},
    });
  });

  it.each([
    ['"none"', 'auth: { main: { issuer: https://id.test, audience: a, algorithms: [none] } }', 'algorithms'],
    [
      'shared secrets',
      'auth: { main: { issuer: https://id.test, audience: a, algorithms: [HS256] } }',
      'algorithms',
    ],
    ['keys over plain http', 'auth: { main: { jwks: http://id.test/jwks, audience: a } }', 'with https'],
    ['a token for any audience', 'auth: { main: { issuer: https://id.test } }', 'audience'],
    ['a verifier without keys', 'auth: { main: { audience: a } }', 'add "issuer"'],
    [
      'identity headers that say where a request comes from',
      'auth: { main: { issuer: https://id.test, audience: a, forward: { x-forwarded-for: sub } } }',
      'x-forwarded-for',
    ],
    ['a claim of a token nobody verifies', 'identity: { user: { claim: sub } }', 'is nobody'],
    [
      'a claim of one of two tokens',
      'auth: { a: { issuer: https://a.test, audience: a }, b: { issuer: https://b.test, audience: b } }\nidentity: { user: { claim: sub } }',
      'add "auth: a"',
    ],
    ['a private key in the file', BRIDGE.replace('!env KEY', '"-----BEGIN"'), 'has a secret in the file'],
    ['a bridge without a user', BRIDGE.replace('sub: /id', 'name: /id'), 'has no "sub"'],
    [
      'claims of a session that the proxy makes',
      BRIDGE.replace('sub: /id', 'sub: /id, exp: /e'),
      'makes itself',
    ],
    ['half a comparison', BRIDGE.replace(/ \}$/, ', csrf: { cookie: csrf } }'), 'one side'],
    [
      'a page of the admin port',
      BRIDGE.replace(/ \}$/, ', jwks: { admin: /metrics } }'),
      'of the admin port',
    ],
    [
      'a token for an upstream that is not there',
      BRIDGE.replace('issuer: shop', 'issuer: shop, audience: { x: y }'),
      'is not an upstream',
    ],
    [
      'one header for two identities',
      `auth: { main: { issuer: https://id.test, audience: a, forward: { x-id: sub } } }\n${BRIDGE.replace(/ \}$/, ', header: X-Id }')}`,
      'already written by the session bridge',
    ],
  ])('is refused for %s', (_what, proxy, text) => {
    expect(problemsOf(proxy)).toEqual([expect.stringContaining(text)]);
  });

  it('is told where a route or a migration asks for what is not there', () => {
    expect(problemsOf(AUTH, 'auth: other', '{ match: GET /a, session: required, auth: false }')).toEqual([
      expect.stringContaining('migrations.catalog.auth (line 13): names "other"'),
      expect.stringContaining('migrations.catalog.routes[0].session (line 14): needs a bridge'),
    ]);
  });

  it('is not both on one route', () => {
    const both = `${AUTH}\n${BRIDGE}`;
    expect(problemsOf(both, 'session: required', '{ match: GET /a, auth: main }')).toEqual([
      expect.stringContaining('migrations.catalog.routes[0].auth'),
    ]);
    expect(problemsOf(both, 'session: required', '{ match: GET /a, auth: main, session: false }')).toEqual(
      [],
    );
  });
});
