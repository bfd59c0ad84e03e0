import { afterEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { Phase } from '@strangler/contracts';
import { createRig, eventually } from './proxy.fixture.js';
import { newKeyFile, startLegacy, startService } from './session.fixture.js';

const rig = createRig();
afterEach(rig.clean);

type Setup = {
  bridge?: Record<string, unknown>;
  routes?: readonly unknown[];
  phase?: Phase;
  share?: number;
  keys?: readonly { file: string }[];
  proxy?: Record<string, unknown>;
  now?: () => number;
};

async function setup({ bridge, routes, phase = 'extracted', share, keys, proxy, now }: Setup = {}) {
  const [legacy, service] = await Promise.all([startLegacy(rig), startService(rig)]);
  const started = await rig.migration({
    legacy: legacy.url,
    service: service.url,
    phase,
    ...(share !== undefined && { share }),
    routes: routes ?? [
      { match: '* /items/*', session: 'required' },
      { match: 'GET /open', session: 'optional' },
    ],
    proxy: {
      sessionBridge: {
        cookie: 'sid',
        introspect: { path: '/api/me', map: { sub: '/id', roles: '/roles' } },
        token: { issuer: 'shop', keys: keys ?? [{ file: await newKeyFile(await rig.folder(), 'key.pem') }] },
        logout: ['POST /logout'],
        jwks: { public: '/.well-known/shop-identity.json' },
        ...bridge,
      },
      ...proxy,
    },
    ...(now && { options: { now } }),
  });
  const ask = async (path = '/items/1', init: RequestInit & { headers?: Record<string, string> } = {}) => {
    const response = await started.get(path, { redirect: 'manual', ...init });
    return { status: response.status, body: await response.text(), response };
  };
  const login = async () => {
    const { response } = await ask('/login', { method: 'POST' });
    return { cookie: response.headers.getSetCookie()[0]?.replace(/;.*/, '') ?? '' };
  };
  // What a service in another language would do: the public keys, the issuer, its own name.
  const keysOf = createRemoteJWKSet(new URL(`${started.url}/.well-known/shop-identity.json`));
  const verify = async (header: string | undefined, audience = 'catalog') =>
    (await jwtVerify(header?.replace(/^Bearer /, '') ?? '', keysOf, { issuer: 'shop', audience })).payload;
  const lastToken = () => service.seen.at(-1)?.headers.authorization;
  return { ...started, ...legacy, served: service.seen, ask, login, verify, lastToken, origin: started.url };
}

describe('a session of legacy', () => {
  it('becomes a short-lived token that a service can verify, and stays itself at home', async () => {
    const { ask, login, verify, served, lastToken } = await setup();
    const { cookie } = await login();
    const headers = { cookie: `theme=dark; ${cookie}`, authorization: 'Bearer forged' };
    expect((await ask('/items/1', { headers })).body).toBe('service');
    const claims = await verify(lastToken());
    expect(claims).toMatchObject({ sub: '7', roles: ['buyer'], iss: 'shop', aud: 'catalog' });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
    expect(served[0]?.headers.cookie).toBe('theme=dark');
  });

  it('is not good for another audience, nor after its time', async () => {
    let now = Date.now();
    const { ask, login, verify, lastToken } = await setup({ now: () => now });
    now -= 61_000;
    await ask('/items/1', { headers: await login() });
    await expect(verify(lastToken())).rejects.toThrow(/"exp"/);
    now += 61_000;
    await ask('/items/1', { headers: await login() });
    await expect(verify(lastToken(), 'payment')).rejects.toThrow(/"aud"/);
    expect(await verify(lastToken())).toMatchObject({ sub: '7' });
  });

  it('is looked up once for many requests at once, and again only when its time is over', async () => {
    let now = Date.now();
    const { ask, login, state } = await setup({ now: () => now });
    const headers = await login();
    const all = await Promise.all(Array.from({ length: 8 }, () => ask('/items/1', { headers })));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    await ask('/items/1', { headers });
    expect(state.asked).toBe(1);
    now += 30_001;
    await ask('/items/1', { headers });
    expect(state.asked).toBe(2);
  });

  it('is good for at least half of its time whenever a service gets it', async () => {
    let now = Date.now();
    const { ask, login, lastToken } = await setup({ bridge: { cacheMs: 300_000 }, now: () => now });
    const headers = await login();
    const tokens = [];
    for (const passed of [0, 10_000, 25_000]) {
      now += passed;
      await ask('/items/1', { headers });
      tokens.push(lastToken());
    }
    expect(tokens[1]).toBe(tokens[0]);
    expect(tokens[2]).not.toBe(tokens[0]);
  });

  it('goes in a header of its own where the plan says so, which no client can send', async () => {
    const { ask, login, verify, served } = await setup({ bridge: { header: 'X-Identity' } });
    const headers = {
      ...(await login()),
      'x-identity': 'forged',
      x_identity: 'forged',
      authorization: 'Bearer own',
    };
    await ask('/items/1', { headers });
    expect(await verify(served[0]?.headers['x-identity'] as string)).toMatchObject({ sub: '7' });
    expect(served[0]?.headers.authorization).toBe('Bearer own');
    await ask('/open', { headers: { 'x-identity': 'forged' } });
    expect(JSON.stringify(served)).not.toContain('forged');
  });

  it('may go along where the plan says so', async () => {
    const { ask, login, served } = await setup({ bridge: { forwardCookie: true } });
    const headers = await login();
    await ask('/items/1', { headers });
    expect(served[0]?.headers.cookie).toBe(headers.cookie);
  });

  it('that legacy prolongs when it is asked is prolonged for the client', async () => {
    const { ask, login, state } = await setup();
    const headers = await login();
    state.meCookie = `${headers.cookie}; Path=/; Max-Age=600`;
    const { response } = await ask('/items/1', { headers });
    expect(response.headers.getSetCookie()).toEqual([state.meCookie]);
    expect((await ask('/items/1', { headers })).response.headers.getSetCookie()).toEqual([]);
    expect(state.asked).toBe(1);
  });
});

describe('nobody', () => {
  it('gets 401 on a route that needs somebody, and through on one that does not', async () => {
    const { ask, served } = await setup();
    for (const headers of [{}, { cookie: 'sid=unknown' }] as Record<string, string>[]) {
      const { status, body, response } = await ask('/items/1', { headers });
      expect(status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Cookie realm="session"');
      expect(JSON.parse(body)).toMatchObject({ code: 'PROXY_SESSION_MISSING' });
      expect((await ask('/open', { headers: { ...headers, authorization: 'Bearer forged' } })).body).toBe(
        'service',
      );
    }
    expect(served.map(({ headers }) => [headers.cookie, headers.authorization])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('gets the answer of legacy in canary: its login page, and not ours', async () => {
    const { ask, login, evidence } = await setup({ phase: 'canary', share: 100 });
    expect((await ask()).body).toBe('legacy');
    expect((await ask('/items/1', { headers: await login() })).body).toBe('service');
    expect((await evidence()).migrations['catalog']).toMatchObject({ serviceFailures: 0 });
  });

  it('is somebody at once after a login that keeps the cookie', async () => {
    const { ask } = await setup({ bridge: { cacheMs: 300_000 } });
    const headers = { cookie: 'sid=fixed' };
    expect((await ask('/items/1', { headers })).status).toBe(401);
    await ask('/login', { method: 'POST', headers });
    expect((await ask('/items/1', { headers })).status).toBe(200);
  });
});

describe('a logout', () => {
  it.each([
    ['on a route of the plan', '/logout', 'POST'],
    ['that legacy makes known by clearing the cookie', '/leave', 'GET'],
  ])('%s counts at once, whatever is known', async (_what, path, method) => {
    const { ask, login, state } = await setup();
    const headers = await login();
    expect((await ask('/items/1', { headers })).status).toBe(200);
    await ask(path, { method, headers });
    expect((await ask('/items/1', { headers })).status).toBe(401);
    expect(state.asked).toBe(2);
  });

  it('is no logout when legacy only prolongs the cookie', async () => {
    const { ask, login, state } = await setup();
    const headers = await login();
    await ask('/items/1', { headers });
    await ask('/prolong', { headers });
    expect((await ask('/items/1', { headers })).status).toBe(200);
    expect(state.asked).toBe(1);
  });

  it('that overtakes the look-up of the session wins: what was read before counts for nobody', async () => {
    const { ask, login, state, served } = await setup();
    const headers = await login();
    let letGo = () => {};
    const stopped = new Promise<void>((reached) => {
      state.beforeAnswer = async () => {
        state.beforeAnswer = async () => {};
        reached();
        await new Promise<void>((go) => (letGo = go));
      };
    });
    const asking = ask('/items/1', { headers });
    await stopped;
    await ask('/logout', { method: 'POST', headers });
    letGo();
    expect((await asking).status).toBe(401);
    expect((await ask('/items/1', { headers })).status).toBe(401);
    expect(served).toEqual([]);
    expect(state.asked).toBe(2);
  });
});

describe('a logout on its way', () => {
  it('voids also what legacy said after it came and before it ended the session', async () => {
    const { ask, login, state } = await setup();
    const headers = await login();
    let letGo = () => {};
    const stopped = new Promise<void>((reached) => {
      state.beforeLogout = async () => {
        reached();
        await new Promise<void>((go) => (letGo = go));
      };
    });
    const leaving = ask('/logout', { method: 'POST', headers });
    await stopped;
    expect((await ask('/items/1', { headers })).status).toBe(200);
    letGo();
    await leaving;
    expect((await ask('/items/1', { headers })).status).toBe(401);
  });
});

describe('when legacy cannot say whose session it is', () => {
  it('the answer is 503 and names the stage; in canary legacy gets the request itself', async () => {
    const { ask, login, state, enter, served } = await setup();
    const headers = await login();
    state.isDown = true;
    const { status, body } = await ask('/items/1', { headers });
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ code: 'PROXY_SESSION_UNAVAILABLE' });
    expect(body).toContain('stage \\"session\\"');
    await enter('canary');
    await eventually(
      async () => (await ask('/items/1', { headers })).body,
      (text) => text === 'legacy',
    );
    expect(served).toEqual([]);
  });

  it('nobody waits for it longer than the plan says', async () => {
    const { ask, login, state } = await setup({
      bridge: { introspect: { path: '/api/me', map: { sub: '/id' }, timeoutMs: 50 } },
    });
    const headers = await login();
    state.beforeAnswer = () => new Promise(() => {});
    expect((await ask('/items/1', { headers })).status).toBe(503);
  });
});

describe('an unsafe request on a bridged route', () => {
  const post = (headers: Record<string, string>, body = 'a=b') => ({ method: 'POST', headers, body });

  it('goes on from a page of this origin and is refused from another one', async () => {
    const { ask, login, origin, served } = await setup();
    const session = await login();
    expect((await ask('/items/1', post({ ...session, origin }))).body).toBe('service');
    const { status, body } = await ask('/items/1', post({ ...session, origin: 'https://evil.test' }));
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ code: 'PROXY_CSRF_REFUSED' });
    expect((await ask('/items/1', post(session))).status).toBe(403);
    expect(served).toHaveLength(1);
  });

  it('must repeat the cookie of a double submit in its header', async () => {
    const { ask, login, origin, served } = await setup({
      bridge: { csrf: { cookie: 'csrf', header: 'X-Csrf-Token' } },
    });
    const cookie = `${(await login()).cookie}; csrf=secret1`;
    const given = (token?: string) => post({ cookie, origin, ...(token && { 'x-csrf-token': token }) });
    expect((await ask('/items/1', given('secret1'))).status).toBe(200);
    for (const token of ['secret2', undefined])
      expect((await ask('/items/1', given(token))).status).toBe(403);
    expect(served).toHaveLength(1);
  });

  it('must have the token of the session in the field of its form, and the form arrives as it was sent', async () => {
    const { ask, login, origin, served } = await setup({
      bridge: { csrf: { session: '/form/token', field: '_csrf' } },
    });
    const session = await login();
    const token = `csrf of ${session.cookie.slice('sid='.length)}`;
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const good = `name=%C3%A4&_csrf=${encodeURIComponent(token)}&name=2`;
    expect((await ask('/items/1', post({ ...session, origin, ...type }, good))).body).toBe('service');
    expect(served[0]).toMatchObject({ method: 'POST', body: good });
    for (const bad of ['name=1', '_csrf=other', `${good}&_csrf=other`, `_csrf=`])
      expect((await ask('/items/1', post({ ...session, origin, ...type }, bad))).status).toBe(403);
    expect(
      (await ask('/items/1', post({ ...session, origin, 'content-type': 'text/plain' }, good))).status,
    ).toBe(403);
    expect(served).toHaveLength(1);
  });

  it('is legacy’s own business as long as legacy gets it', async () => {
    const { ask, login, enter } = await setup();
    await enter('canary');
    const headers = { ...(await login()), origin: 'https://evil.test' };
    const answer = await eventually(
      () => ask('/items/1', post(headers)),
      ({ status }) => status !== 403,
    );
    expect(answer.body).toBe('legacy');
  });
});

describe('the public keys', () => {
  it('are open to services where the admin port asks for a token', async () => {
    const { admin } = await setup({ proxy: { adminToken: '!env ADMIN_TOKEN' } });
    const statuses = ['/jwks.json', '/evidence'].map(async (path) => (await fetch(admin + path)).status);
    expect(await Promise.all(statuses)).toEqual([200, 401]);
  });

  it('are shown on the admin port and where the plan says, without the private halves', async () => {
    const { admin, origin, state } = await setup();
    const texts = await Promise.all(
      [`${admin}/jwks.json`, `${origin}/.well-known/shop-identity.json`].map(async (url) =>
        (await fetch(url)).text(),
      ),
    );
    expect(texts[0]).toBe(texts[1]);
    const { keys } = JSON.parse(texts[0] ?? '') as { keys: Record<string, unknown>[] };
    expect(keys).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        alg: 'EdDSA',
        use: 'sig',
        x: expect.any(String),
        kid: expect.any(String),
      },
    ]);
    expect(state.seen).toEqual([]);
  });

  it('of an old key stay, so that its last tokens and replicas that still sign with it are believed', async () => {
    const folder = await rig.folder();
    const [old, next] = [
      { file: await newKeyFile(folder, 'old.pem') },
      { file: await newKeyFile(folder, 'next.pem') },
    ];
    const before = await setup({ keys: [old, next] });
    await before.ask('/items/1', { headers: await before.login() });
    const early = before.lastToken();
    const after = await setup({ keys: [next, old] });
    await after.ask('/items/1', { headers: await after.login() });
    expect(await after.verify(early)).toMatchObject({ sub: '7' });
    expect(await before.verify(after.lastToken())).toMatchObject({ sub: '7' });
    const idOf = (token?: string) => decodeProtectedHeader(token?.replace('Bearer ', '') ?? '').kid;
    expect(idOf(early)).not.toBe(idOf(after.lastToken()));
  });

  it('that are no keys keep the proxy from starting, by name', async () => {
    const keys = [{ file: '/nowhere/key.pem' }];
    await expect(setup({ keys })).rejects.toMatchObject({
      code: 'IDENTITY_KEY_INVALID',
      message: expect.stringContaining('"/nowhere/key.pem"'),
    });
  });
});

describe('a shadow of a bridged route', () => {
  it('goes to the service with the token, and the session stays at home', async () => {
    const { ask, login, served, verify, lastToken } = await setup({ phase: 'shadow' });
    const headers = await login();
    expect((await ask('/items/1', { headers })).body).toBe('legacy');
    await eventually(
      () => served.length,
      (asked) => asked > 0,
    );
    expect(await verify(lastToken())).toMatchObject({ sub: '7' });
    expect(served[0]?.headers.cookie).toBeUndefined();
  });
});
