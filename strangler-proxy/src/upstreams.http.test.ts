import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { InstanceEvidence, ProxyEvidence } from '@strangler/contracts';
import type { ProxyOptions } from './proxy.js';
import { bodyOf, closedUrl, createRig, eventually, parse, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

/** A proxy before several instances of legacy. */
async function before(
  urls: readonly string[],
  rest: Record<string, unknown> = {},
  options: Partial<ProxyOptions> = {},
) {
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, admin: 0 },
      upstreams: { legacy: { urls, ...rest } },
    }),
  );
  const { url, admin } = await rig.proxy({ plan, ...options });
  const instances = async (): Promise<readonly InstanceEvidence[]> => {
    const evidence = (await (await fetch(`${admin}/evidence`)).json()) as ProxyEvidence;
    return evidence.upstreams['legacy']?.instances ?? [];
  };
  const metric = async (line: string): Promise<number> => {
    const text = await (await fetch(`${admin}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`strangler_proxy_upstream_${line} `))
        ?.split(' ')
        .at(-1),
    );
  };
  const breakers = async () => (await instances()).map(({ breaker }) => breaker);
  return {
    url,
    admin,
    instances,
    metric,
    breakers,
    text: async (path = '/') => (await fetch(url + path)).text(),
  };
}

const saying =
  (text: string): RequestListener =>
  (_request, response) =>
    response.end(text);

/** Listens on another loopback address with the same port, as the same name would after it moved. */
async function serverAt(host: string, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(port, host, done));
  rig.own(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** A clock that a test can put forward. */
function clock() {
  let ahead = 0;
  return {
    now: () => performance.timeOrigin + performance.now() + ahead,
    forward: (ms: number) => (ahead += ms),
  };
}

describe('of two instances', () => {
  it('one dies under load and comes back: no read fails, its breaker opens and closes', async () => {
    const [a, b] = [await rig.server(saying('a')), await rig.server(saying('b'))];
    const { url, breakers, metric } = await before([a.url, b.url], {
      breaker: { failures: 3, openMs: 100 },
    });
    const answers = { '200 a': 0, '200 b': 0 } as Record<string, number> & {
      '200 a': number;
      '200 b': number;
    };
    const over = new AbortController();
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const response = await fetch(url);
        const answer = `${response.status} ${await response.text()}`;
        answers[answer] = (answers[answer] ?? 0) + 1;
      }
    };
    const load = Promise.all(Array.from({ length: 12 }, client));
    const { port } = a.server.address() as AddressInfo;
    await eventually(
      () => answers['200 a'],
      (count) => count > 20,
    );
    await a.stop();
    await eventually(
      () => metric('breaker_opened_total{upstream="legacy"}'),
      (count) => count > 0,
    );
    const { ['200 a']: whenDead, ['200 b']: others } = answers;
    await eventually(
      () => answers['200 b'],
      (count) => count > others + 20,
    );
    await rig.server(saying('a'), port);
    await eventually(
      () => answers['200 a'],
      (count) => count > whenDead,
    );
    await eventually(breakers, (states) => states.every((state) => state === 'closed'));
    over.abort();
    await load;
    expect(Object.keys(answers).toSorted()).toEqual(['200 a', '200 b']);
    const retries = (cause: string) => metric(`retries_total{upstream="legacy",cause="${cause}"}`);
    expect((await retries('not-sent')) + (await retries('no-answer'))).toBeGreaterThan(0);
  });

  it('one is not there: also an upload goes to the other one, whole', async () => {
    const live = await rig.server((request, response) => {
      void bodyOf(request).then((body) => response.end(String(body.length)));
    });
    const { url, metric } = await before([await closedUrl(), live.url], {
      balance: 'round-robin',
      breaker: false,
    });
    for (let upload = 0; upload < 4; upload++) {
      const body = Readable.from([Buffer.alloc(100_000), Buffer.alloc(200_000)]);
      const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as unknown as RequestInit);
      expect([response.status, await response.text()]).toEqual([200, '300000']);
    }
    expect(await metric('retries_total{upstream="legacy",cause="not-sent"}')).toBe(2);
  });

  it('one breaks off: a write that it had got is sent to nobody else', async () => {
    const written: string[] = [];
    const broken = await rig.server((request) => {
      written.push(`${request.method ?? ''} broken`);
      request.socket.resetAndDestroy();
    });
    const live = await rig.server((request, response) => {
      written.push(`${request.method ?? ''} live`);
      response.end('ok');
    });
    const { url } = await before([broken.url, live.url], { balance: 'round-robin', breaker: false });
    const send = async (method: string, body?: string) =>
      (await fetch(url, { method, ...(body !== undefined && { body }) })).status;
    expect([await send('POST', 'x'), await send('POST', 'x')]).toEqual([502, 200]);
    expect([await send('PUT', 'x'), await send('PUT', 'x')]).toEqual([502, 200]);
    expect(written.splice(0)).toEqual(['POST broken', 'POST live', 'PUT broken', 'PUT live']);
    expect(await send('DELETE')).toBe(200);
    expect(written).toEqual(['DELETE broken', 'DELETE live']);
  });

  it('one takes connections and never answers: its breaker opens and nobody waits for it any more', async () => {
    let asked = 0;
    const halfDead = await rig.tcpServer((socket) => socket.on('data', () => asked++));
    const live = await rig.server(saying('live'));
    const { url, breakers } = await before([halfDead.url, live.url], {
      timeouts: { headMs: 100 },
      balance: 'round-robin',
      breaker: { failures: 2, openMs: 60_000 },
    });
    const statuses: number[] = [];
    for (let request = 0; request < 8; request++) statuses.push((await fetch(url)).status);
    expect(statuses.filter((status) => status === 504)).toHaveLength(2);
    expect(statuses.filter((status) => status === 200)).toHaveLength(6);
    expect(asked).toBe(2);
    expect(await breakers()).toEqual(['open', 'closed']);
  });

  it('the less busy one is chosen', async () => {
    const waiting: ServerResponse[] = [];
    const holding = await rig.server((_request, response) => void waiting.push(response));
    const quick = await rig.server(saying('quick'));
    const { text } = await before([holding.url, quick.url], {}, { random: () => 0 });
    const held = text();
    await once(holding.server, 'request');
    for (let request = 0; request < 10; request++) expect(await text()).toBe('quick');
    expect(waiting).toHaveLength(1);
    waiting[0]?.end('held');
    expect(await held).toBe('held');
  });

  it('each gets upgrades', async () => {
    const joined: string[] = [];
    const joining = async (name: string) => {
      const one = await rig.server(() => {});
      one.server.on('upgrade', (_request, socket) => {
        joined.push(name);
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      });
      return one.url;
    };
    const { url } = await before([await joining('a'), await joining('b')], { balance: 'round-robin' });
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    for (let client = 0; client < 4; client++) expect(await rawExchange(url, upgrade)).toContain(' 101 ');
    expect(joined.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('one answers its health path with 503 and gets nobody until it is well again', async () => {
    let status = 503;
    const a = await rig.server((request, response) => {
      if (request.url === '/health') response.writeHead(status);
      response.end('a');
    });
    const b = await rig.server(saying('b'));
    const { text, instances, metric } = await before([a.url, b.url], {
      health: { path: '/health', intervalMs: 20 },
      balance: 'round-robin',
    });
    await eventually(instances, ([first]) => first !== undefined && !first.healthy);
    expect(await Promise.all([1, 2, 3, 4].map(() => text()))).toEqual(['b', 'b', 'b', 'b']);
    expect(await metric('instances{upstream="legacy",state="healthy"}')).toBe(1);
    status = 200;
    await eventually(instances, ([first]) => first !== undefined && first.healthy);
    expect((await Promise.all([1, 2, 3, 4].map(() => text()))).toSorted()).toEqual(['a', 'a', 'b', 'b']);
  });
});

describe('the budget of retries', () => {
  it('keeps an upstream that resets everything from getting twice the load', async () => {
    let asked = 0;
    const reset = () =>
      rig.tcpServer((socket: Socket) =>
        socket.on('data', () => {
          asked++;
          socket.resetAndDestroy();
        }),
      );
    const { url, metric } = await before([(await reset()).url, (await reset()).url], {
      breaker: false,
      retries: { budgetRatio: 0.1, budgetPerSecond: 0 },
    });
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(url)).status));
    expect(new Set(statuses)).toEqual(new Set([502]));
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThanOrEqual(110);
    const retried = await metric('retries_total{upstream="legacy",cause="no-answer"}');
    expect(retried).toBe(asked - 100);
    expect(await metric('retries_denied_total{upstream="legacy"}')).toBe(100 - retried);
  });

  it('can be switched off', async () => {
    const live = await rig.server(saying('live'));
    const { url } = await before([await closedUrl(), live.url], {
      balance: 'round-robin',
      retries: { perRequest: 0 },
    });
    expect([(await fetch(url)).status, (await fetch(url)).status]).toEqual([502, 200]);
  });
});

describe('a breaker', () => {
  it('of legacy refuses nobody: there is nobody else to ask', async () => {
    let status = 503;
    const legacy = await rig.server((_request, response) => {
      response.writeHead(status);
      response.end('legacy');
    });
    const { url, breakers } = await before([legacy.url], { breaker: { failures: 2, openMs: 60_000 } });
    for (let request = 0; request < 3; request++) expect((await fetch(url)).status).toBe(503);
    expect(await breakers()).toEqual(['open']);
    status = 200;
    expect((await fetch(url)).status).toBe(200);
  });

  it('of a service lets legacy answer reads, then one probe through, and all when that went well', async () => {
    const { now, forward } = clock();
    const waiting: ServerResponse[] = [];
    let asked = 0;
    let isBroken = true;
    const service = await rig.server((request, response) => {
      asked++;
      if (isBroken) request.socket.resetAndDestroy();
      else waiting.push(response);
    });
    const legacy = await rig.server(saying('legacy'));
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      serviceOptions: { breaker: { failures: 2, openMs: 5_000 }, retries: { perRequest: 0 } },
      phase: 'canary',
      share: 100,
      options: { now },
    });
    const text = async () => (await proxy.get('/items/1')).text();
    const breaker = async () => (await proxy.evidence()).upstreams['catalog']?.instances?.[0]?.breaker;
    for (let request = 0; request < 4; request++) expect(await text()).toBe('legacy');
    expect([asked, await breaker()]).toEqual([2, 'open']);
    const explained = (await (await fetch(`${proxy.admin}/explain?path=/items/1`)).json()) as {
      reason: string;
    };
    expect(explained.reason).toContain('its breaker is open: 2 failures in a row');

    forward(5_001);
    isBroken = false;
    const probe = text();
    await eventually(
      () => waiting.length,
      (count) => count === 1,
    );
    expect(await breaker()).toBe('half-open');
    expect(await Promise.all([text(), text(), text()])).toEqual(['legacy', 'legacy', 'legacy']);
    expect(asked).toBe(3);
    waiting[0]?.end('service');
    expect(await probe).toBe('service');
    expect(await breaker()).toBe('closed');
    const after = text();
    await eventually(
      () => waiting.length,
      (count) => count === 2,
    );
    waiting[1]?.end('service');
    expect(await after).toBe('service');
  });

  it('that is half-open is not closed by an answer of before it opened', async () => {
    const { now, forward } = clock();
    const waiting: Record<string, ServerResponse> = {};
    const legacy = await rig.server((request, response) => {
      if (request.url === '/broken') response.writeHead(503).end();
      else waiting[request.url ?? ''] = response;
    });
    const { text, breakers } = await before(
      [legacy.url],
      { breaker: { failures: 1, openMs: 5_000 } },
      { now },
    );
    const late = text('/late');
    await eventually(() => waiting['/late'], Boolean);
    await text('/broken');
    forward(5_001);
    const probe = text('/probe');
    await eventually(() => waiting['/probe'], Boolean);
    waiting['/late']?.end('late');
    expect([await late, await breakers()]).toEqual(['late', ['half-open']]);
    waiting['/probe']?.end('probe');
    expect([await probe, await breakers()]).toEqual(['probe', ['closed']]);
  });

  it('gets its place for a probe back from a client that left', async () => {
    const { now, forward } = clock();
    const legacy = await rig.server((request, response) => {
      if (request.url === '/broken') response.writeHead(503).end();
      else if (request.url !== '/never') response.end('well');
    });
    const { url, text, breakers, instances } = await before(
      [legacy.url],
      { breaker: { failures: 1, openMs: 5_000 } },
      { now },
    );
    await text('/broken');
    forward(5_001);
    const left = new AbortController();
    const gone = fetch(`${url}/never`, { signal: left.signal }).catch(() => 'left');
    await eventually(instances, ([one]) => one?.pending === 1);
    expect(await breakers()).toEqual(['half-open']);
    left.abort();
    await gone;
    await eventually(instances, ([one]) => one?.pending === 0);
    expect(await text()).toBe('well');
    expect(await breakers()).toEqual(['closed']);
  });
});

describe('the name of an upstream', () => {
  it('that gets another address moves new requests there, and those on their way end where they are', async () => {
    const waiting: ServerResponse[] = [];
    const old = await rig.server((request, response) => {
      if (request.url === '/held') waiting.push(response);
      else response.end('old');
    });
    const { port } = old.server.address() as AddressInfo;
    await serverAt('127.0.0.2', port, saying('new'));
    let addresses: string[] | Error = ['127.0.0.1'];
    const lookup = async (host: string) => {
      expect(host).toBe('shop.test');
      if (addresses instanceof Error) throw addresses;
      return addresses;
    };
    const { text, instances } = await before(
      [`http://shop.test:${port}`],
      { dns: { refreshMs: 10 } },
      { lookup },
    );
    const names = async () => (await instances()).map(({ instance }) => instance);
    const at = (address: string) => `http://shop.test:${port} at ${address}`;
    await eventually(names, ([name]) => name === at('127.0.0.1'));
    const held = text('/held');
    await eventually(
      () => waiting.length,
      (count) => count === 1,
    );
    addresses = ['127.0.0.2'];
    await eventually(names, ([name]) => name === at('127.0.0.2'));
    expect(await text()).toBe('new');
    waiting[0]?.end('held');
    expect(await held).toBe('held');
    const connections = () =>
      new Promise<number>((done) => old.server.getConnections((_error, count) => done(count)));
    expect(await eventually(connections, (count) => count === 0)).toBe(0);

    addresses = new Error('the name server is down');
    for (let request = 0; request < 5; request++) expect(await text()).toBe('new');
    addresses = [];
    for (let request = 0; request < 5; request++) expect(await text()).toBe('new');

    addresses = ['127.0.0.1', '127.0.0.2', '::1'];
    await eventually(names, (all) => all.length === 2);
    expect(new Set(await names())).toEqual(new Set([at('127.0.0.1'), at('127.0.0.2')]));
    expect(new Set(await Promise.all(Array.from({ length: 40 }, () => text())))).toEqual(
      new Set(['old', 'new']),
    );
  });
});

describe('the host that an upstream is asked for', () => {
  it.each([
    ['client', 'shop.test'],
    ['upstream', 'its own'],
  ])('is that of the %s', async (host, expected) => {
    const legacy = await rig.server((request, response) => {
      const { host: asked, 'x-forwarded-host': forwarded } = request.headers;
      response.end(`${asked === new URL(legacy.url).host ? 'its own' : asked} for ${String(forwarded)}`);
    });
    const { url } = await before([legacy.url], { host });
    const answer = await rawExchange(url, 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    expect(answer).toMatch(new RegExp(`${expected} for shop\\.test$`));
  });
});
