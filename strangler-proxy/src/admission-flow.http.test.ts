import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeStateSubscription } from '@strangler/contracts';
import { startIssuer } from './issuer.fixture.js';
import { planFile } from './plan-file.js';
import {
  createRig,
  ENVIRONMENT,
  eventually,
  type MigrationSetup,
  parse,
  planText,
  rawExchange,
  stateOf,
} from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const ok = () => rig.server((request, response) => void request.resume().on('end', () => response.end('ok')));
/** Answers when the test lets it. */
async function holding() {
  const held: ServerResponse[] = [];
  const { url } = await rig.server((_request, response) => void held.push(response));
  const arrived = () =>
    eventually(
      () => held.length,
      (length) => length === 1,
    );
  return { url, arrived, letGo: () => held.splice(0).forEach((response) => response.end('ok')) };
}

describe('over a reload', () => {
  async function reloadable(setup: Omit<MigrationSetup, 'options' | 'share' | 'phase'>) {
    const folder = await rig.folder();
    const file = join(folder, 'plan.yaml');
    const first = planText(setup);
    await writeFile(file, first);
    const { url, admin, reload } = await rig.proxy({
      plan: parse(first, folder),
      subscription: fakeStateSubscription(stateOf(1, 'extracted')),
      source: planFile(file, ENVIRONMENT, pino({ level: 'silent' })),
    });
    const write = async (changes: Partial<typeof setup>) => {
      await writeFile(`${file}.new`, planText({ ...setup, ...changes }));
      await rename(`${file}.new`, file);
      await reload();
      const { plan } = (await (await fetch(`${admin}/evidence`)).json()) as { plan: { rejected: unknown } };
      expect(plan.rejected).toBeNull();
    };
    return { admin, write, get: async (path: string) => (await fetch(`${url}${path}`)).status };
  }
  const perHour = (requests: number, by = 'address') => ({ requests, perMs: 3_600_000, by });

  it('a rate limit that stays forgives nobody, and a changed one is in force', async () => {
    const { url } = await ok();
    const setup = { legacy: url, service: url };
    const limits = { rateLimits: [perHour(1)] };
    const { get, write } = await reloadable({ ...setup, proxy: limits });
    expect([await get('/a'), await get('/a')]).toEqual([200, 429]);
    await write({ proxy: limits, routes: ['GET /others/*'] });
    expect(await get('/a')).toBe(429);
    await write({ proxy: { rateLimits: [perHour(2)] } });
    expect([await get('/a'), await get('/a'), await get('/a')]).toEqual([200, 200, 429]);
    await write({});
    expect(await get('/a')).toBe(200);
  });

  it('so does one of a route, also where none of its requests came between two reloads', async () => {
    const { url } = await ok();
    const routes = [{ match: 'GET /items/*', rateLimit: perHour(1, 'route') }];
    const { get, write } = await reloadable({ legacy: url, service: url, routes });
    expect([await get('/items/1'), await get('/items/2')]).toEqual([200, 429]);
    for (const timeoutMs of [1_000, 2_000]) await write({ serviceOptions: { timeoutMs } });
    expect(await get('/items/1')).toBe(429);
    await write({ routes: [{ match: 'GET /items/*', rateLimit: perHour(3, 'route') }] });
    expect(await get('/items/1')).toBe(200);
  });

  it('a place stays taken until its request is over', async () => {
    const legacy = await holding();
    const proxy = { overload: { maxInFlight: 1 } };
    const { get, write } = await reloadable({ legacy: legacy.url, service: legacy.url, proxy });
    const first = get('/a');
    await legacy.arrived();
    await write({ proxy, routes: ['GET /others/*'] });
    expect(await get('/a')).toBe(503);
    legacy.letGo();
    expect(await first).toBe(200);
    const next = get('/a');
    await legacy.arrived();
    legacy.letGo();
    expect(await next).toBe(200);
  });
});

describe('a refusal', () => {
  it('counts the client behind trusted proxies, and is told like an answer', async () => {
    const { url } = await ok();
    const proxy = await rig.migration({
      legacy: url,
      service: url,
      phase: 'extracted',
      routes: [{ match: 'GET /items/*', rateLimit: { requests: 1, perMs: 60_000, by: 'route' } }],
      proxy: {
        trusted: ['127.0.0.1'],
        accessLog: { file: 'access.log' },
        rateLimits: [{ requests: 2, perMs: 60_000, by: 'address' }],
      },
    });
    const from = (client: string, path: string) =>
      proxy.get(path, { headers: { 'x-forwarded-for': client, 'x-request-id': `of-${client}` } });
    expect((await from('203.0.113.1', '/items/1')).status).toBe(200);
    const byRoute = await from('203.0.113.1', '/items/1');
    expect(byRoute.status).toBe(429);
    const atDoor = await from('203.0.113.1', '/other');
    expect([atDoor.status, atDoor.headers.get('x-request-id')]).toEqual([429, 'of-203.0.113.1']);
    expect(await atDoor.json()).toMatchObject({ requestId: 'of-203.0.113.1' });
    expect((await from('203.0.113.2', '/other')).status).toBe(200);
    await proxy.stop();
    const lines = (await readFile(join(proxy.folder, 'access.log'), 'utf8')).trim().split('\n');
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const shared = { by: 'proxy', status: 429, msg: 'PROXY_RATE_LIMITED', requestId: 'of-203.0.113.1' };
    expect(told.filter(({ status }) => status === 429)).toEqual([
      expect.objectContaining({
        ...shared,
        route: 'GET /items/*',
        upstream: 'catalog',
        address: '203.0.113.0',
      }),
      expect.objectContaining({ ...shared, route: 'other', address: '203.0.113.0' }),
    ]);
  });

  it('is counted by its code, and no evidence takes it for an answer of a side', async () => {
    const { url } = await ok();
    const proxy = await rig.migration({
      legacy: url,
      service: url,
      phase: 'extracted',
      proxy: { rateLimits: [{ requests: 1, perMs: 60_000, by: 'client' }] },
    });
    expect([(await proxy.get('/items/1')).status, (await proxy.get('/items/1')).status]).toEqual([200, 429]);
    const { requests, migrations } = await proxy.evidence();
    expect([requests.total, migrations['catalog']?.routes[0]?.served.service]).toEqual([1, 1]);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toContain('refused_total{code="PROXY_RATE_LIMITED"} 1');
  });

  it('of a body comes before the client is asked for it', async () => {
    const { url } = await ok();
    const proxy = await rig.proxy({
      plan: parse(
        `{ version: 1, proxy: { listen: 0, admin: 0, limits: { bodyBytes: 10 } }, upstreams: { legacy: "${url}" } }`,
      ),
    });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n';
    const answer = await rawExchange(proxy.url, `${head}Content-Length: 11\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"PROXY_BODY_TOO_LARGE"/);
  });
});

describe('before a guard', () => {
  it('a flood of bad tokens ends at the limit by address: no more of them are looked at', async () => {
    const issuer = await startIssuer(rig);
    const { url } = await ok();
    const proxy = await rig.migration({
      legacy: url,
      service: url,
      phase: 'extracted',
      routes: [{ match: 'GET /items/*', auth: 'main' }],
      proxy: {
        auth: { main: { issuer: issuer.url, audience: 'shop' } },
        identity: { user: { claim: 'sub' } },
        rateLimits: [{ requests: 2, perMs: 60_000, by: 'address' }],
      },
    });
    const looks = async () => {
      const text = await (await fetch(`${proxy.admin}/metrics`)).text();
      const counts = [...text.matchAll(/^strangler_proxy_tokens_total\{.*\} (\d+)$/gm)];
      return counts.reduce((total, [, count]) => total + Number(count), 0);
    };
    const ask = async () =>
      (await proxy.get('/items/1', { headers: { authorization: 'Bearer a.b.c' } })).status;
    expect([await ask(), await ask()]).toEqual([401, 401]);
    const before = await looks();
    expect(before).toBeGreaterThan(0);
    expect([await ask(), await ask()]).toEqual([429, 429]);
    expect(await looks()).toBe(before);
  });

  it('a limit by client counts the user of a verified token', async () => {
    const issuer = await startIssuer(rig);
    const { url } = await ok();
    const proxy = await rig.migration({
      legacy: url,
      service: url,
      phase: 'extracted',
      proxy: {
        auth: { main: { issuer: issuer.url, audience: 'shop' } },
        identity: { user: { claim: 'sub' } },
        rateLimits: [{ requests: 1, perMs: 60_000, by: 'client' }],
      },
    });
    const ask = async (sub: string) => {
      const headers = { authorization: `Bearer ${await issuer.token({ sub })}` };
      return (await proxy.get('/items/1', { headers })).status;
    };
    expect([await ask('ann'), await ask('bob'), await ask('ann')]).toEqual([200, 200, 429]);
  });

  it('whom it sends to legacy needs a place there', async () => {
    const issuer = await startIssuer(rig);
    issuer.state.isDown = true;
    const [legacy, service] = [await holding(), await ok()];
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'canary',
      share: 100,
      legacyOptions: { maxInFlight: 1 },
      routes: [{ match: 'GET /items/*', auth: 'main' }],
      proxy: { auth: { main: { issuer: issuer.url, audience: 'shop' } } },
    });
    const first = proxy.get('/other');
    await legacy.arrived();
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    const second = await proxy.get('/items/1', { headers });
    expect([second.status, await second.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'PROXY_UPSTREAM_FULL' }),
    ]);
    legacy.letGo();
    expect((await first).status).toBe(200);
  });
});

describe('a body that is read as a whole', () => {
  it('for a transform obeys the limit of the plan, and the service never hears of it', async () => {
    const [legacy, seen] = [await ok(), [] as string[]];
    const service = await rig.server((request, response) => {
      seen.push(request.url ?? '');
      response.end('ok');
    });
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'extracted',
      routes: [{ match: 'POST /items/:id', transform: { request: { json: { rename: { '/a': 'b' } } } } }],
      proxy: { limits: { bodyBytes: 20 } },
    });
    const post = async (body: string) =>
      proxy.get('/items/1', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: new Blob([body]).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await post('{"a":1}')).status).toBe(200);
    const refused = await post(JSON.stringify({ a: 'x'.repeat(30) }));
    expect([refused.status, await refused.text()]).toEqual([
      413,
      expect.stringContaining('limits.bodyBytes'),
    ]);
    expect(seen).toHaveLength(1);
  });
});
