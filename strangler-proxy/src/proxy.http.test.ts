import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import {
  type Explanation,
  fakeStateSubscription,
  type Phase,
  type ProxyEvidence,
} from '@strangler/contracts';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createProxy } from './proxy.js';
import { createRig, eventually, parse, planOf, rawExchange, stateOf, writeFlags } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const sayingWho = (who: string) => rig.server((_request, response) => response.end(who));
const silent = pino({ level: 'silent' });

describe('the routing state', () => {
  const setup = async (stateFile?: string) => {
    const [legacy, service] = [await sayingWho('legacy'), await sayingWho('service')];
    const at = await rig.folder();
    await writeFlags(at, 100);
    const plan = (more = {}) =>
      planOf({
        at,
        legacy: legacy.url,
        service: service.url,
        proxy: stateFile === undefined ? {} : { stateFile },
        ...more,
      });
    return { at, plan };
  };
  const whoAnswers = async (url: string) => (await fetch(`${url}/items/1`)).text();
  /** The real subscription, against a control plane that is not there (the plan's port is closed). */
  const withoutControl = (plan: ReturnType<typeof planOf>, port: number) => ({
    ...plan,
    control: { ...plan.control, listen: { host: '127.0.0.1', port } } as NonNullable<typeof plan.control>,
  });

  it('decides from the moment it is put into force', async () => {
    const { plan } = await setup();
    const subscription = fakeStateSubscription(stateOf(1, 'shadow'));
    const { url, admin } = await rig.proxy({ plan: plan(), subscription });
    expect(await whoAnswers(url)).toBe('legacy');
    await subscription.set(stateOf(2, 'canary'));
    expect(await whoAnswers(url)).toBe('service');
    const evidence = (await (await fetch(`${admin}/evidence`)).json()) as ProxyEvidence;
    expect(evidence).toMatchObject({ stateVersion: 2, inContact: true });
    await subscription.set(stateOf(3, 'legacy'));
    expect(await whoAnswers(url)).toBe('legacy');
  });

  it('comes from the control plane by long polling, and is acknowledged by asking for the next', async () => {
    const asked: string[] = [];
    const states = [stateOf(7, 'canary')];
    const control = await rig.server((request, response) => {
      asked.push(request.url ?? '');
      const next = states.shift();
      if (next) response.end(JSON.stringify(next));
      else response.on('close', () => {});
    });
    const { plan } = await setup();
    const { url } = await rig.proxy({ plan: withoutControl(plan(), Number(new URL(control.url).port)) });
    expect(await whoAnswers(url)).toBe('service');
    await eventually(
      () => asked.length,
      (count) => count >= 2,
    );
    expect(asked.map((path) => new URL(path, control.url).searchParams.get('after'))).toEqual(['0', '7']);
  });

  it('of the last run counts when the control plane is out of reach at the start', async () => {
    const { at, plan } = await setup('state.json');
    const subscription = fakeStateSubscription(stateOf(5, 'canary'));
    const first = await rig.proxy({ plan: plan(), subscription });
    await eventually(
      () => readFile(join(at, 'state.json'), 'utf8').catch(() => ''),
      (text) => text !== '',
    );
    await first.stop();
    expect(JSON.parse(await readFile(join(at, 'state.json'), 'utf8'))).toEqual(stateOf(5, 'canary'));

    const { url, admin } = await rig.proxy({ plan: withoutControl(plan(), 1) });
    expect(await whoAnswers(url)).toBe('service');
    expect(await (await fetch(`${admin}/evidence`)).json()).toMatchObject({
      stateVersion: 5,
      inContact: false,
    });
  });

  it.each([
    ['is missing', undefined],
    ['is broken', '{"version":'],
    ['is of another shape', '{"version":1,"migrations":{"catalog":{"phase":"finished"}}}'],
  ])('is "everything on legacy" when the file %s', async (_what, text) => {
    const { at, plan } = await setup('state.json');
    if (text !== undefined) await writeFile(join(at, 'state.json'), text);
    const { url } = await rig.proxy({ plan: withoutControl(plan(), 1) });
    expect(await whoAnswers(url)).toBe('legacy');
  });

  it('that a request started with is the one it ends with', async () => {
    const arrived: (() => void)[] = [];
    const legacy = await rig.server((_request, response) => void arrived.push(() => response.end('legacy')));
    const service = await sayingWho('service');
    const { get, enter } = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'shadow',
      share: 100,
      routes: [{ match: 'GET /items/*', shadow: false }],
    });
    const answer = get('/items/1');
    await eventually(
      () => arrived.length,
      (count) => count === 1,
    );
    await enter('canary');
    expect(await (await get('/items/1')).text()).toBe('service');
    arrived[0]?.();
    expect(await (await answer).text()).toBe('legacy');
  });
});

describe('the evidence', () => {
  it('of comparisons begins anew when a migration enters shadow again, and lasts through canary', async () => {
    const upstream = await rig.server((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"a":1}');
    });
    const { get, enter, evidence } = await rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase: 'shadow',
      share: 0,
    });
    const matches = async () => (await evidence()).migrations['catalog']?.routes[0]?.comparisons.match;
    await get('/items/1');
    await eventually(matches, (count) => count === 1);
    await enter('canary');
    await get('/items/1');
    await eventually(matches, (count) => count === 2);
    await enter('shadow');
    expect(await matches()).toBe(2);
    await enter('syncing');
    expect(await matches()).toBe(2);
    await enter('shadow');
    expect(await matches()).toBe(0);
  });
});

describe('the admin port', () => {
  const setup = async (phase: Phase, share: number) => {
    const upstream = await sayingWho('x');
    return rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase,
      share,
      proxy: { identity: { user: { cookie: 'uid' } } },
    });
  };
  const explain = async (admin: string, query: string) =>
    (await (await fetch(`${admin}/explain?${query}`)).json()) as Explanation;

  it('explains by what decides over traffic', async () => {
    const { admin, get, evidence } = await setup('canary', 50);
    for (let user = 0; user < 20; user++) {
      const before = (await evidence()).migrations['catalog']?.routes[0]?.served.service ?? 0;
      await (await get('/items/1', { headers: { cookie: `uid=${user}` } })).text();
      const after = (await evidence()).migrations['catalog']?.routes[0]?.served.service ?? 0;
      const { upstream, client, reason } = await explain(admin, `path=/items/1&cookie.uid=${user}`);
      expect(upstream).toBe(after > before ? 'catalog' : 'legacy');
      expect(client.kind).toBe('user');
      expect((client.bucket ?? 0) <= 50).toBe(upstream === 'catalog');
      expect(reason).toContain('flag "strangler.catalog" is o');
    }
  });

  it.each([
    [
      'shadow',
      'path=/items/1',
      {
        upstream: 'legacy',
        shadow: true,
        migration: 'catalog',
        route: 'GET /items/*',
        phase: 'shadow',
        flag: 'strangler.catalog',
        client: { kind: 'none', bucket: null },
      },
    ],
    [
      'canary',
      'path=/items/1',
      { client: { kind: 'none', bucket: null }, reason: expect.stringContaining('chance of 50 percent') },
    ],
    [
      'canary',
      'method=post&path=/items/1',
      { method: 'POST', upstream: 'legacy', reason: expect.stringContaining('writes stay on legacy') },
    ],
    [
      'canary',
      'path=/items/%2e%2e/x%253f',
      { path: '/items/../x%3f', upstream: 'legacy', migration: null, route: null, phase: null, flag: null },
    ],
    ['extracted', 'method=POST&path=/items/1', { upstream: 'catalog' }],
    ['canary', 'path=/other', { upstream: 'legacy', reason: 'no migration of the plan has this route' }],
  ] as const)('explains in %s what becomes of "%s"', async (phase, query, expected) => {
    const { admin } = await setup(phase, 50);
    expect(await explain(admin, query)).toMatchObject(expected);
  });

  it.each([
    ['/explain', 400, 'EXPLAIN_INVALID'],
    ['/explain?path=items', 400, 'EXPLAIN_INVALID'],
    ['/nothing', 404, 'ADMIN_PATH_UNKNOWN'],
  ])('answers %s with %i', async (path, status, code) => {
    const { admin } = await setup('legacy', 0);
    const response = await fetch(`${admin}${path}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('changes nothing and does not talk to a page that reached it by another name', async () => {
    const { admin } = await setup('legacy', 0);
    expect((await fetch(`${admin}/evidence`, { method: 'POST' })).status).toBe(405);
    const asked = (host: string) => rawExchange(admin, `GET /evidence HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    for (const host of ['evil.test', '127.0.0.1.evil.test', 'evil.test:7070', '10.0.0.1', ''])
      expect(await asked(host)).toMatch(/^HTTP\/1\.1 403 /);
    for (const host of ['localhost', 'localhost:7070', '127.0.0.1:7070', '[::1]:7070', 'proxy.localhost'])
      expect(await asked(host)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('counts by the names of the plan, however many paths are asked for', async () => {
    const { admin, get } = await setup('canary', 100);
    for (let item = 0; item < 30; item++) await (await get(`/items/${item}`)).text();
    for (let page = 0; page < 30; page++) await (await get(`/page/${page}`)).text();
    const text = await (await fetch(`${admin}/metrics`)).text();
    expect(text).toContain('requests_total{route="GET /items/*",upstream="catalog",status="2xx"} 30');
    expect(text).toContain('requests_total{route="other",upstream="legacy",status="2xx"} 30');
    expect(text).not.toContain('/items/7');
    expect(text).toContain('strangler_proxy_state_version 1');
    expect(text).toContain('strangler_proxy_in_contact 1');
  });

  it('says that it lives and that it takes requests', async () => {
    const { admin } = await setup('legacy', 0);
    expect(await (await fetch(`${admin}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${admin}/ready`)).status).toBe(200);
  });
});

describe('a stop', () => {
  const setup = async () => {
    const waiting: ServerResponse[] = [];
    const legacy = await rig.server((_request: IncomingMessage, response) => void waiting.push(response));
    const started = await rig.proxy({
      plan: parse(`{ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: "${legacy.url}" } }`),
    });
    return { ...started, waiting };
  };

  it('lets requests on their way end, takes no new ones, and leaves nothing open', async () => {
    const { url, admin, stop, waiting } = await setup();
    const answers = [fetch(`${url}/1`), fetch(`${url}/2`)];
    await eventually(
      () => waiting.length,
      (count) => count === 2,
    );
    let isStopped = false;
    const stopped = stop().then(() => (isStopped = true));
    await delay(50);
    expect((await fetch(`${admin}/ready`)).status).toBe(503);
    await expect(fetch(`${url}/3`)).rejects.toThrow('fetch failed');
    expect(isStopped).toBe(false);
    for (const response of waiting) response.end('whole');
    expect(await Promise.all(answers.map(async (answer) => (await answer).text()))).toEqual([
      'whole',
      'whole',
    ]);
    await stopped;
    await expect(fetch(`${admin}/health`)).rejects.toThrow('fetch failed');
  });

  it('does not wait for connections nobody uses', async () => {
    const { url, stop, waiting } = await setup();
    const idle = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    await once(idle, 'connect');
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(
      () => waiting.length,
      (count) => count === 1,
    );
    waiting[0]?.end('ok');
    await once(idle, 'data');
    const begun = Date.now();
    await stop();
    expect(Date.now() - begun).toBeLessThan(4_000);
  });

  it('ends shadows that are still asking', async () => {
    const service = await rig.tcpServer((socket) => socket.resume());
    const legacy = await sayingWho('legacy');
    const { get, stop } = await rig.migration({ legacy: legacy.url, service: service.url, phase: 'shadow' });
    await (await get('/items/1')).text();
    await eventually(
      () => service.sockets.size,
      (count) => count === 1,
    );
    await stop();
    expect(
      await eventually(
        () => service.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });
});

describe('a start', () => {
  it('that finds its port taken says so and leaves nothing open', async () => {
    const taken = await sayingWho('x');
    const plan = parse(
      `{ version: 1, proxy: { listen: ${new URL(taken.url).port}, admin: 0 }, upstreams: { legacy: "${taken.url}" } }`,
    );
    await expect(createProxy({ plan, log: silent })).rejects.toMatchObject({
      code: 'PROXY_PORT_UNAVAILABLE',
    });
  });
});
