import { afterEach, describe, expect, it } from '@jest/globals';
import { base64url, SignJWT, UnsecuredJWT } from 'jose';
import type { Explanation, Phase } from '@strangler/contracts';
import { newKey, startIssuer } from './issuer.fixture.js';
import { createRig, eventually, flagsText, rawExchange, writeFlags } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

type Setup = {
  auth?: Record<string, unknown>;
  routes?: readonly unknown[];
  phase?: Phase;
  share?: number;
  proxy?: Record<string, unknown>;
  now?: () => number;
};

async function setup({ auth, routes, phase = 'extracted', share, proxy, now }: Setup = {}) {
  const issuer = await startIssuer(rig);
  const seen: { who: string; headers: Record<string, string | string[] | undefined> }[] = [];
  const [legacy, service] = await Promise.all(
    ['legacy', 'service'].map((who) =>
      rig.server((request, response) => {
        seen.push({ who, headers: request.headers });
        response.end(who);
      }),
    ),
  );
  const started = await rig.migration({
    legacy: legacy?.url ?? '',
    service: service?.url ?? '',
    phase,
    ...(share !== undefined && { share }),
    routes: routes ?? [{ match: 'GET /items/*', auth: 'main' }, 'GET /open'],
    proxy: {
      auth: { main: { issuer: issuer.url, audience: 'shop', forward: { 'X-User-Id': 'sub' }, ...auth } },
      ...proxy,
    },
    ...(now && { options: { now } }),
  });
  const ask = async (token?: string, headers: Record<string, string> = {}, path = '/items/1') => {
    const response = await started.get(path, {
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    });
    return {
      status: response.status,
      body: await response.text(),
      challenge: response.headers.get('www-authenticate'),
    };
  };
  return { ...started, origin: started.url, ...issuer, seen, ask };
}

describe('a route with auth', () => {
  it('lets a verified token through, and tells the service who it is', async () => {
    const { ask, token, seen } = await setup();
    expect(await ask(await token(), { 'x-user-id': 'mallory', X_User_Id: 'mallory' })).toMatchObject({
      status: 200,
      body: 'service',
    });
    expect(seen[0]?.headers).toMatchObject({ 'x-user-id': 'anna', authorization: expect.any(String) });
    expect(JSON.stringify(seen)).not.toContain('mallory');
  });

  it('keeps the token from the service where the plan says so', async () => {
    const { ask, token, seen } = await setup({ auth: { forwardToken: false } });
    expect((await ask(await token())).status).toBe(200);
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  it('strips the headers it writes on every route of a service, also where nobody is asked for a token', async () => {
    const { ask, seen } = await setup();
    expect((await ask(undefined, { 'x-user-id': 'mallory' }, '/open')).body).toBe('service');
    expect(JSON.stringify(seen)).not.toContain('mallory');
  });

  it('asks for a token without blaming one that is not there', async () => {
    const { ask, seen } = await setup();
    const { status, body, challenge } = await ask();
    expect({ status, challenge }).toEqual({ status: 401, challenge: 'Bearer realm="main"' });
    expect(JSON.parse(body)).toMatchObject({ code: 'PROXY_TOKEN_MISSING' });
    expect(body).toContain('stage \\"auth\\"');
    expect(seen).toEqual([]);
  });

  const past = () => Math.floor(Date.now() / 1_000) - 60;
  type World = Awaited<ReturnType<typeof setup>>;
  it.each<[string, string, (world: World) => Promise<string> | string]>([
    ['has expired', 'expired', ({ token }) => token({ exp: past() })],
    ['has no end', '\\"exp\\"', ({ token }) => token({ exp: undefined as never })],
    ['is not valid yet', 'not valid yet', ({ token }) => token({ nbf: past() + 600 })],
    ['is for another audience', '\\"aud\\"', ({ token }) => token({ aud: 'bank' })],
    ['is of another issuer', '\\"iss\\"', ({ token }) => token({ iss: 'https://else.test' })],
    ['is signed by nobody', 'algorithm', () => new UnsecuredJWT({ sub: 'anna' }).encode()],
    [
      'is signed with the public key as a shared secret',
      'algorithm',
      ({ first, url }) =>
        new SignJWT({ iss: url, aud: 'shop', sub: 'anna', exp: past() + 600 })
          .setProtectedHeader({ alg: 'HS256', kid: first.kid })
          .sign(new TextEncoder().encode(JSON.stringify(first.jwk))),
    ],
    [
      'is signed by a stranger under the id of a real key',
      'signature',
      async ({ token, first }) => token({}, { key: { ...(await newKey()), kid: first.kid } }),
    ],
    [
      'brings its own key along',
      'no key of its issuer',
      async ({ token }) => {
        const own = await newKey();
        return token({}, { key: own, header: { jwk: own.jwk } });
      },
    ],
    [
      'has a key id made to walk through files and queries',
      'no key of its issuer',
      async ({ token }) => token({}, { key: { ...(await newKey()), kid: "../../dev/null' OR 1=1--" } }),
    ],
    [
      'was altered after it was signed',
      'signature',
      async ({ token }) => {
        const [head, , signature] = (await token()).split('.');
        const forged = base64url.encode(
          JSON.stringify({ iss: '', aud: 'shop', sub: 'root', exp: past() + 600 }),
        );
        return `${head}.${forged}.${signature}`;
      },
    ],
    ['is no token', 'not a signed JWT', () => 'word'],
  ])('refuses a token that %s', async (_what, reason, make) => {
    const world = await setup();
    const { status, body, challenge } = await world.ask(await make(world));
    expect({ status, challenge }).toEqual({
      status: 401,
      challenge: 'Bearer realm="main", error="invalid_token"',
    });
    expect(body).toContain(reason);
    expect(world.seen).toEqual([]);
  });

  it('never follows the address of keys that a token names', async () => {
    const { ask, token, seen } = await setup();
    const own = await newKey();
    const asked: string[] = [];
    const trap = await rig.server((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ keys: [own.jwk] }));
    });
    const lure = { jku: `${trap.url}/jwks`, x5u: `${trap.url}/x5u` };
    expect((await ask(await token({}, { key: own, header: lure }))).status).toBe(401);
    expect([asked, seen]).toEqual([[], []]);
  });

  it('refuses two Authorization headers, of which two servers could read different ones', async () => {
    const { origin, token, seen } = await setup();
    const answer = await rawExchange(
      origin,
      `GET /items/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await token()}\r\nAuthorization: Bearer x\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('error="invalid_request"');
    expect(seen).toEqual([]);
  });

  it('takes a replayed token until it has expired, and not a moment longer, though it is known already', async () => {
    let now = Date.now();
    const { ask, token } = await setup({ auth: { clockToleranceS: 0 }, now: () => now });
    const replayed = await token();
    expect((await ask(replayed)).status).toBe(200);
    expect((await ask(replayed)).status).toBe(200);
    now += 61_000;
    expect((await ask(replayed)).status).toBe(401);
  });

  it('answers 403 for a scope or a claim that is not there, and names the scopes', async () => {
    const { ask, token } = await setup({
      routes: [
        {
          match: 'GET /items/*',
          auth: { require: 'main', scopes: ['read', 'list'], claims: { roles: ['admin', 'editor'] } },
        },
      ],
    });
    expect(await ask(await token({ scope: 'read', roles: ['admin'] }))).toMatchObject({
      status: 403,
      challenge: 'Bearer realm="main", error="insufficient_scope", scope="read list"',
    });
    expect((await ask(await token({ scope: 'read list', roles: ['guest'] }))).body).toContain('\\"roles\\"');
    expect((await ask(await token({ scope: 'read list' }))).status).toBe(403);
    expect((await ask(await token({ scope: 'list read more', roles: ['guest', 'editor'] }))).status).toBe(
      200,
    );
    expect((await ask(await token({ scp: ['list', 'read'], roles: 'admin' }))).status).toBe(200);
  });

  it('verifies what a condition on a claim chose the route by', async () => {
    const { ask, token, seen } = await setup({
      routes: [{ match: 'GET /items/*', auth: 'main', when: { claim: { tenant: 'acme' } } }],
    });
    expect((await ask(await token({ tenant: 'acme' }))).body).toBe('service');
    expect((await ask(await token({ tenant: 'other' }))).body).toBe('legacy');
    const forged = await token({ tenant: 'acme' }, { key: await newKey() });
    expect((await ask(forged)).status).toBe(401);
    expect(seen.map(({ who }) => who)).toEqual(['service', 'legacy']);
  });

  it.each([
    ['a line break', 'anna\r\nX-Admin: 1'],
    ['a letter headers do not have', 'änna'],
    ['a space at its end', 'anna '],
    ['an object', { id: 1 }],
    ['an item with a comma', ['a', 'b,c']],
  ])('refuses a claim with %s rather than change it for the header', async (_what, sub) => {
    const { ask, token, seen } = await setup({ auth: { forward: { 'x-user-id': 'name' } } });
    const { status, body } = await ask(await token({ name: sub }));
    expect(status).toBe(401);
    expect(body).toContain('\\"name\\"');
    expect(seen).toEqual([]);
  });

  it('is not asked for on legacy: what is not diverted goes on as it came', async () => {
    const { ask, seen } = await setup({ phase: 'syncing' });
    expect((await ask('word', { 'x-user-id': 'as ever' })).body).toBe('legacy');
    expect(seen[0]?.headers).toMatchObject({ 'x-user-id': 'as ever', authorization: 'Bearer word' });
  });
});

describe('the keys of an issuer', () => {
  it('follow a rotation at the first token with the new key', async () => {
    const { ask, token, state } = await setup({ auth: { cooldownS: 1 } });
    const next = await newKey();
    state.keys = [next.jwk, ...state.keys];
    await eventually(
      async () => (await ask(await token({}, { key: next }))).status,
      (status) => status === 200,
    );
    expect((await ask(await token())).status).toBe(200);
  });

  it('are asked for once, however many tokens name a key nobody knows', async () => {
    const { ask, token, state } = await setup();
    expect((await ask(await token())).status).toBe(200);
    const before = state.asked.length;
    const strangers = await Promise.all(Array.from({ length: 5 }, () => newKey()));
    for (const key of strangers) expect((await ask(await token({}, { key }))).status).toBe(401);
    expect(state.asked.length - before).toBeLessThanOrEqual(1);
  });

  it('are not asked for again and again while the issuer is away, and what cannot be said then is 503', async () => {
    const lost = await setup({ auth: { cooldownS: 1 } });
    expect((await lost.ask(await lost.token())).status).toBe(200);
    lost.state.isDown = true;
    const stranger = await newKey();
    await eventually(
      async () => (await lost.ask(await lost.token({}, { key: stranger }))).status,
      (status) => status === 503,
    );
    const before = lost.state.asked.length;
    for (let more = 0; more < 5; more++)
      expect((await lost.ask(await lost.token({}, { key: stranger }))).status).toBe(503);
    expect(lost.state.asked.length - before).toBeLessThanOrEqual(1);
    expect((await lost.ask(await lost.token({ jti: 'new' }))).status).toBe(200);
  });

  it('outlive an outage of the issuer', async () => {
    const { ask, token, state } = await setup({ auth: { refreshS: 1, cooldownS: 1 } });
    expect((await ask(await token())).status).toBe(200);
    state.isDown = true;
    const before = state.asked.length;
    await eventually(
      () => state.asked.length,
      (asked) => asked > before,
    );
    expect((await ask(await token({ jti: 'never seen before' }))).status).toBe(200);
  });

  it('that were taken back count no longer, not even for a token that is known', async () => {
    const { ask, token, state } = await setup({ auth: { refreshS: 1 } });
    const known = await token();
    expect((await ask(known)).status).toBe(200);
    state.keys = [(await newKey()).jwk];
    await eventually(
      async () => (await ask(known)).status,
      (status) => status === 401,
    );
  });

  it('that never came make it 503, named by its stage, and in canary legacy answers', async () => {
    const closed = { issuer: 'http://127.0.0.1:1' };
    const extracted = await setup({ auth: closed });
    const { status, body } = await extracted.ask(await extracted.token());
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ code: 'PROXY_AUTH_UNAVAILABLE' });
    const canary = await setup({ auth: closed, phase: 'canary', share: 100 });
    expect((await canary.ask(await canary.token())).body).toBe('legacy');
  });

  it('come from an address of their own where the plan names it', async () => {
    const issuer = await startIssuer(rig);
    const { ask } = await setup({ auth: { issuer: issuer.url, jwks: `${issuer.url}/jwks` } });
    expect((await ask(await issuer.token())).status).toBe(200);
    expect(issuer.state.asked).toEqual(['/jwks']);
  });
});

describe('an identity from a claim', () => {
  const proxy = { identity: { user: { claim: 'sub' } } };
  const rule = (user: string) => ({
    strategies: [{ name: 'userWithId', parameters: { userIds: user }, constraints: [] }],
  });
  const canary = async () => {
    const world = await setup({ phase: 'canary', share: 0, proxy, routes: ['GET /items/*'] });
    await writeFlags(world.folder, 100, flagsText(100, rule('anna')));
    await eventually(
      async () => (await world.ask(await world.token())).body,
      (body) => body === 'service',
    );
    return world;
  };

  it('decides for the user of a token that was verified', async () => {
    const { ask, token } = await canary();
    expect((await ask(await token())).body).toBe('service');
    expect((await ask(await token({ sub: 'berta' }))).body).toBe('legacy');
  });

  it('is nobody where the token only claims it', async () => {
    const { ask, token } = await canary();
    expect((await ask(await token({}, { key: await newKey() }))).body).toBe('legacy');
    expect((await ask()).body).toBe('legacy');
  });

  it('is explained as it is decided', async () => {
    const { admin, token } = await canary();
    const explained = async (text: string) => {
      const query = new URLSearchParams({ path: '/items/1', 'header.authorization': `Bearer ${text}` });
      return (await (await fetch(`${admin}/explain?${query.toString()}`)).json()) as Explanation;
    };
    expect(await explained(await token())).toMatchObject({ upstream: 'catalog', client: { kind: 'user' } });
    const forged = await token({}, { key: await newKey() });
    expect(await explained(forged)).toMatchObject({ upstream: 'legacy', client: { kind: 'none' } });
  });
});

describe('a shadow of a route with auth', () => {
  it('goes to the service as a client of the service would, and not at all where that one is refused', async () => {
    const { ask, token, seen, evidence } = await setup({ phase: 'shadow' });
    expect((await ask(await token(), { 'x-user-id': 'mallory' })).body).toBe('legacy');
    await eventually(
      () => seen.find(({ who }) => who === 'service'),
      (found) => found?.headers['x-user-id'] === 'anna',
    );
    expect((await ask('word')).body).toBe('legacy');
    const lost = await eventually(
      async () => (await evidence()).migrations['catalog']?.routes[0]?.notCompared,
      (notCompared) => notCompared?.['not-admitted'] !== undefined,
    );
    expect(lost).toEqual({ 'not-admitted': 1 });
  });
});
