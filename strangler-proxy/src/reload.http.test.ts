import { rename, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { fakeStateSubscription, type Phase, type ProxyEvidence } from '@strangler/contracts';
import { planFile } from './plan-file.js';
import {
  bodyOf,
  createRig,
  ENVIRONMENT,
  eventually,
  flagsText,
  type MigrationSetup,
  parse,
  planText,
  stateOf,
  writeFlags,
} from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const log = pino({ level: 'silent' });
const named = (name: string) =>
  rig.server((request, response) => {
    request.resume().on('end', () => response.end(`${name} ${request.url}`));
  });

/** A proxy over a plan in a real file; `write` replaces the file as an editor does and has the proxy look at it. */
async function reloadable(setup: Omit<MigrationSetup, 'options' | 'share'>, share = 100) {
  const folder = await rig.folder();
  const file = join(folder, 'plan.yaml');
  const put = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const text = planText(setup);
  await put(text);
  await writeFlags(folder, share);
  const subscription = fakeStateSubscription(stateOf(1, setup.phase));
  const proxy = await rig.proxy({
    plan: parse(text, folder),
    subscription,
    source: planFile(file, ENVIRONMENT, log),
  });
  const evidence = async () => (await (await fetch(`${proxy.admin}/evidence`)).json()) as ProxyEvidence;
  return {
    ...proxy,
    folder,
    put,
    evidence,
    enter: (version: number, phase: Phase) => subscription.set(stateOf(version, phase)),
    async write(changed: string) {
      await put(changed);
      await proxy.reload();
    },
    get: async (path: string, init?: RequestInit) => {
      const response = await fetch(`${proxy.url}${path}`, init);
      return { status: response.status, text: await response.text() };
    },
    metrics: async () => (await fetch(`${proxy.admin}/metrics`)).text(),
  };
}

describe('a changed plan', () => {
  it('is noticed in its file, however it is replaced, and put into force', async () => {
    const [legacy, service] = [await named('legacy'), await named('service')];
    const setup = { legacy: legacy.url, service: service.url, phase: 'canary' as const };
    const proxy = await reloadable(setup);
    expect((await proxy.get('/others/1')).text).toBe('legacy /others/1');

    const text = planText({ ...setup, routes: ['GET /others/*'] });
    await proxy.put(text);
    const { revision } = parse(text, proxy.folder);
    await eventually(proxy.evidence, ({ planRevision }) => planRevision === revision);
    expect((await proxy.get('/others/1')).text).toBe('service /others/1');
    expect((await proxy.get('/items/1')).text).toBe('legacy /items/1');
    expect((await proxy.evidence()).plan).toEqual({ revision, rejected: null });
  });

  it('fails no request under load, and every answer is of a plan that was in force during the request', async () => {
    const legacy = await named('legacy');
    const services = await Promise.all([0, 1, 2].map((number) => named(`service-${number}`)));
    const setupOf = (round: number) => ({
      legacy: legacy.url,
      service: services[round % 3]?.url ?? '',
      phase: 'canary' as const,
      routes: round % 2 === 0 ? ['GET /items/*'] : ['GET /items/*', 'GET /more/*'],
      serviceOptions: { timeoutMs: 5_000 + round },
    });
    const expected = (round: number, path: string) =>
      path.startsWith('/items') || round % 2 === 1 ? `service-${round % 3} ${path}` : `legacy ${path}`;
    const proxy = await reloadable(setupOf(0));
    let round = 0;
    let next = 0;
    const over = new AbortController();
    let answers = 0;
    const wrong: string[] = [];
    const client = async (id: number) => {
      while (!over.signal.aborted) {
        const path = `/${id % 2 ? 'items' : 'more'}/${answers++}`;
        const from = round;
        const { status, text } = await proxy
          .get(path)
          .catch((error: unknown) => ({ status: 0, text: String(error) }));
        const allowed = Array.from({ length: next - from + 1 }, (_, step) => expected(from + step, path));
        if (status !== 200 || !allowed.includes(text))
          wrong.push(`${status} ${text}, not ${allowed.join(' or ')}`);
      }
    };
    const load = Promise.all(Array.from({ length: 16 }, (_, id) => client(id)));
    for (let turn = 1; turn <= 30; turn++) {
      next = turn;
      await proxy.write(planText(setupOf(turn)));
      round = turn;
      const before = answers;
      await eventually(
        () => answers,
        (now) => now > before + 20,
      );
    }
    over.abort();
    await load;
    expect(wrong).toEqual([]);
    expect((await proxy.evidence()).requests).toEqual({ total: answers, failed: 0 });
    expect(await proxy.metrics()).toContain('strangler_proxy_plan_reloads_total{outcome="in-force"} 30');
  }, 60_000);

  it('leaves a request in flight with all of the plan it started with: upload, service, fallback and legacy', async () => {
    const service = await rig.server((_request, response) => held.push(() => response.writeHead(503).end()));
    const held: (() => void)[] = [];
    const [old, other] = [await named('old'), await named('new')];
    const uploads = await rig.server((request, response) => {
      void bodyOf(request).then((body) => response.end(`took ${body.length}`));
    });
    const setup = { legacy: old.url, service: service.url, phase: 'canary' as const };
    const proxy = await reloadable(setup);
    const diverted = proxy.get('/items/1');
    await eventually(
      () => held.length,
      (count) => count === 1,
    );

    await proxy.write(planText({ ...setup, legacy: uploads.url, service: other.url }));
    const upload = httpRequest(`${proxy.url}/upload`, { method: 'POST' });
    const taken = new Promise<string>((done, fail) => {
      upload.on('response', (response) => done(bodyOf(response).then(String)));
      upload.on('error', fail);
    });
    upload.write('x'.repeat(1_000));
    await eventually(
      () => proxy.metrics(),
      (text) => text.includes('strangler_proxy_requests_in_flight 2'),
    );
    await proxy.write(planText({ ...setup, legacy: other.url, service: other.url }));
    expect((await proxy.get('/items/2')).text).toBe('new /items/2');

    held[0]?.();
    // The service of its plan could not, so legacy of its plan answers, although neither is in force any more.
    expect(await diverted).toEqual({ status: 200, text: 'old /items/1' });
    upload.end('x'.repeat(1_000));
    expect(await taken).toBe('took 2000');
  });

  it('closes the connections to what has gone, and keeps those and the health of what stays', async () => {
    const sockets = { legacy: 0, service: 0 };
    const checks = { legacy: 0, service: 0 };
    const counting = async (name: 'legacy' | 'service') => {
      const started = await rig.server((request, response) => {
        if (request.url === '/health') checks[name]++;
        response.writeHead(name === 'legacy' && request.url === '/health' ? 500 : 200).end(name);
      });
      started.server.on('connection', (socket) => {
        sockets[name]++;
        socket.on('close', () => sockets[name]--);
      });
      return started.url;
    };
    const [legacy, service] = [await counting('legacy'), await counting('service')];
    const other = await named('other');
    const options = { legacyOptions: { health: '/health' }, serviceOptions: { health: '/health' } };
    const setup = { legacy, service, phase: 'canary' as const, ...options };
    const proxy = await reloadable(setup);
    await proxy.get('/items/1');
    await proxy.get('/others/1');
    await eventually(proxy.evidence, ({ upstreams }) => !(upstreams['legacy']?.healthy ?? true));
    const before = { ...sockets };
    expect(before.service).toBeGreaterThan(0);

    await proxy.write(planText({ ...setup, service: other.url }));
    // Anew it would be taken for healthy until two checks have failed.
    expect((await proxy.evidence()).upstreams['legacy']?.healthy).toBe(false);
    await eventually(
      () => sockets.service,
      (count) => count === 0,
    );
    expect(sockets.legacy).toBe(before.legacy);
    expect((await proxy.get('/items/1')).text).toBe('other /items/1');
    expect(await proxy.metrics()).not.toContain('upstream_healthy{upstream="catalog"} 0');
  }, 15_000);

  it('has its new flags ready before a request meets it', async () => {
    const [legacy, service] = [await named('legacy'), await named('service')];
    const setup = { legacy: legacy.url, service: service.url, phase: 'canary' as const };
    const proxy = await reloadable(setup, 0);
    expect((await proxy.get('/items/1')).text).toBe('legacy /items/1');
    await writeFile(join(proxy.folder, 'other.json'), flagsText(100));
    await proxy.write(planText(setup).replace('flags.json', 'other.json'));
    expect((await proxy.get('/items/1')).text).toBe('service /items/1');
    await writeFile(join(proxy.folder, 'flags.json'), flagsText(50));
    expect((await proxy.evidence()).migrations['catalog']?.share.configured).toBe(100);
  });

  it('goes by the phase that is in force, also by one that came while its flags were fetched', async () => {
    const [legacy, service] = [await named('legacy'), await named('service')];
    const held: (() => void)[] = [];
    const unleash = await rig.server((request, response) => {
      const answer = () => response.setHeader('content-type', 'application/json').end(flagsText(100));
      if (request.url?.endsWith('/client/features')) held.push(answer);
      else answer();
    });
    const setup = { legacy: legacy.url, service: service.url, phase: 'syncing' as const };
    const proxy = await reloadable(setup);
    const source = `"unleash":{"url":"${unleash.url}/api","token":!env UNLEASH}`;
    const reloaded = proxy.write(planText(setup).replace('"file":"flags.json"', source));
    await eventually(
      () => held.length,
      (count) => count > 0,
    );
    await proxy.enter(2, 'canary');
    held[0]?.();
    await reloaded;
    expect((await proxy.evidence()).stateVersion).toBe(2);
    expect((await proxy.get('/items/1')).text).toBe('service /items/1');
  });
});

describe('evidence over a reload', () => {
  const shadowed = async (routes: readonly unknown[]) => {
    const same = () => rig.server((_request, response) => response.end('same'));
    const [legacy, service, other] = [await same(), await same(), await same()];
    const setup = { legacy: legacy.url, service: service.url, phase: 'shadow' as const, routes };
    const proxy = await reloadable(setup);
    const routeOf = async (route: string) =>
      (await proxy.evidence()).migrations['catalog']?.routes.find((each) => each.route === route);
    await proxy.get('/items/1');
    await eventually(
      () => routeOf('GET /items/*'),
      (found) => found?.comparisons.match === 1,
    );
    return { proxy, setup, other, routeOf };
  };

  it('keeps the counts of routes that remain, and begins those of new ones', async () => {
    const { proxy, setup, routeOf } = await shadowed(['GET /items/*', 'GET /gone/*']);
    await proxy.write(
      planText({ ...setup, routes: ['GET /items/*', 'GET /more/*'], serviceOptions: { timeoutMs: 9 } }),
    );
    expect(await routeOf('GET /items/*')).toMatchObject({
      served: { legacy: 1 },
      comparisons: { match: 1 },
      cleanSinceMismatch: 1,
    });
    expect(await routeOf('GET /more/*')).toMatchObject({ served: { legacy: 0 } });
    expect(await routeOf('GET /gone/*')).toBeUndefined();
  });

  it('begins comparisons anew where another service is compared, or by other rules', async () => {
    const { proxy, setup, other, routeOf } = await shadowed(['GET /items/*']);
    await proxy.write(planText({ ...setup, service: other.url }));
    expect(await routeOf('GET /items/*')).toMatchObject({ served: { legacy: 1 }, comparisons: { match: 0 } });
    await proxy.get('/items/1');
    await eventually(
      () => routeOf('GET /items/*'),
      (found) => found?.comparisons.match === 1,
    );
    await proxy.write(planText({ ...setup, service: other.url, compare: { ignore: ['/price'] } }));
    expect(await routeOf('GET /items/*')).toMatchObject({ served: { legacy: 2 }, comparisons: { match: 0 } });
  });
});

describe('a plan that is not right', () => {
  it('is told with all its problems, and the old one stays in force until it is mended', async () => {
    const [legacy, service] = [await named('legacy'), await named('service')];
    const setup = { legacy: legacy.url, service: service.url, phase: 'canary' as const };
    const proxy = await reloadable(setup);
    const { revision } = parse(planText(setup), proxy.folder);
    await proxy.write(planText({ ...setup, routes: ['nonsense', 'GET /a', 'GET /a'], proxy: { listne: 1 } }));
    const { plan } = await proxy.evidence();
    expect(plan?.revision).toBe(revision);
    expect(plan?.rejected?.problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'proxy.listne',
        'migrations.catalog.routes[0]',
        'migrations.catalog.routes[2]',
      ]),
    );
    expect(await proxy.metrics()).toContain('strangler_proxy_plan_rejected 1');
    expect((await proxy.get('/items/1')).text).toBe('service /items/1');

    await proxy.write(planText(setup));
    expect((await proxy.evidence()).plan).toEqual({ revision, rejected: null });
    expect(await proxy.metrics()).toContain('strangler_proxy_plan_rejected 0');
  });

  it.each([
    ['proxy.listen', { proxy: { listen: '127.0.0.1:1' } }],
    ['proxy.admin', { proxy: { admin: '127.0.0.1:1' } }],
    ['proxy.stateFile', { proxy: { stateFile: 'state.json' } }],
    ['proxy.limits.headBytes', { proxy: { limits: { headBytes: 2_048 } } }],
    ['proxy.limits.connections', { proxy: { limits: { connections: 9 } } }],
    ['proxy.adminToken', { proxy: { adminToken: '!env ADMIN_TOKEN' } }],
  ])('is one that wants another %s: that needs a restart', async (path, changes) => {
    const legacy = await named('legacy');
    const setup = { legacy: legacy.url, service: legacy.url, phase: 'canary' as const };
    const proxy = await reloadable(setup);
    await proxy.write(planText({ ...setup, ...changes }));
    expect((await proxy.evidence()).plan?.rejected?.problems).toEqual([
      expect.objectContaining({
        code: 'PLAN_NEEDS_RESTART',
        path,
        remedy: expect.stringContaining('restart'),
      }),
    ]);
  });

  it('is one whose flags cannot be started, and one that is gone', async () => {
    const legacy = await named('legacy');
    const setup = { legacy: legacy.url, service: legacy.url, phase: 'canary' as const };
    const proxy = await reloadable(setup);
    await proxy.write(planText(setup).replace('flags.json', 'nowhere/flags.json'));
    expect((await proxy.evidence()).plan?.rejected?.problems[0]).toMatchObject({ code: 'PLAN_NOT_STARTED' });
    await rename(join(proxy.folder, 'plan.yaml'), join(proxy.folder, 'away.yaml'));
    await proxy.reload();
    expect((await proxy.evidence()).plan?.rejected?.problems[0]).toMatchObject({ code: 'PLAN_UNREADABLE' });
    expect((await proxy.get('/items/1')).status).toBe(200);
  });
});
