import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bodyOf, createRig, eventually, parse, rawExchange } from './proxy.fixture.js';
import { recordingUpstream } from './recording-upstream.fixture.js';

const rig = createRig();
afterEach(rig.clean);

type Setup = {
  readonly proxy?: Record<string, unknown>;
  readonly upstream?: Record<string, unknown>;
  readonly options?: Partial<Parameters<typeof rig.proxy>[0]>;
};
async function before(url: string, { proxy = {}, upstream = {}, options = {} }: Setup) {
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, admin: 0, ...proxy },
      upstreams: { legacy: { url, ...upstream } },
    }),
  );
  const started = await rig.proxy({ plan, ...options });
  const refused = async (code: string) => {
    const text = await (await fetch(`${started.admin}/metrics`)).text();
    return Number(new RegExp(`refused_total\\{code="${code}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  };
  return { ...started, refused };
}
/** An upstream whose answers wait until the test lets them go. */
async function holding() {
  const held: { request: IncomingMessage; response: ServerResponse }[] = [];
  const { url } = await rig.server((request, response) => void held.push({ request, response }));
  const arrived = (count: number) =>
    eventually(
      () => held.length,
      (length) => length === count,
    );
  return { url, held, arrived, letGo: () => held.splice(0).forEach(({ response }) => response.end('ok')) };
}
/** Answers with the number of bytes it got. */
const counting = () =>
  rig.server((request, response) => void bodyOf(request).then(({ length }) => response.end(String(length))));
const open = (url: string): Socket => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  rig.own(() => void socket.destroy());
  return socket.on('error', () => {});
};
const allOf = async (socket: Socket): Promise<string> => {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  await once(socket, 'close');
  return text;
};
const H = 'Host: a\r\n';

describe('a request is refused, and no upstream sees it, when', () => {
  it.each([
    [
      'its head has too many bytes',
      431,
      'PROXY_HEAD_TOO_LARGE',
      `GET / HTTP/1.1\r\n${H}X: ${'x'.repeat(2_048)}\r\n\r\n`,
    ],
    [
      'its head has too many lines',
      431,
      'PROXY_HEAD_TOO_LARGE',
      `GET / HTTP/1.1\r\n${H}${'X: 1\r\n'.repeat(20)}\r\n`,
    ],
    ['its target is too long', 414, 'PROXY_TARGET_TOO_LONG', `GET /${'x'.repeat(100)} HTTP/1.1\r\n${H}\r\n`],
    [
      'it declares too long a body',
      413,
      'PROXY_BODY_TOO_LARGE',
      `POST / HTTP/1.1\r\n${H}Content-Length: 11\r\n\r\n01234567890`,
    ],
    [
      'it has too long a body in chunks that came at once',
      413,
      'PROXY_BODY_TOO_LARGE',
      `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n`,
    ],
    [
      'it is an upgrade with too long a target',
      414,
      'PROXY_TARGET_TOO_LONG',
      `GET /${'x'.repeat(100)} HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ],
  ])('%s', async (_, status, code, bytes) => {
    const upstream = await recordingUpstream(rig);
    const limits = { headBytes: 1_024, headers: 20, targetBytes: 100, bodyBytes: 10 };
    const { url, refused } = await before(upstream.url, { proxy: { limits } });
    const answer = await rawExchange(url, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer).toMatch(/connection: close/i);
    expect(upstream.seen.requests).toEqual([]);
    expect(await refused(code)).toBe(1);
  });

  it('its head does not arrive in time, however slowly it goes on arriving', async () => {
    const upstream = await recordingUpstream(rig);
    const { url, refused } = await before(upstream.url, { proxy: { limits: { headMs: 100 } } });
    const socket = open(url);
    const dripping = setInterval(() => socket.write('X: 1\r\n'), 20);
    rig.own(() => clearInterval(dripping));
    socket.write(`GET / HTTP/1.1\r\n${H}`);
    expect(await allOf(socket)).toMatch(/^HTTP\/1\.1 408 [^]*PROXY_HEAD_TIMEOUT/);
    expect([upstream.seen.connections, await refused('PROXY_HEAD_TIMEOUT')]).toEqual([0, 1]);
  });
});

describe('an upload in chunks that grows too long', () => {
  it('is stopped where it is: the upstream never gets it as a whole, and the client reads why', async () => {
    const upstream = await recordingUpstream(rig);
    const { url, refused } = await before(upstream.url, { proxy: { limits: { bodyBytes: 100_000 } } });
    const socket = open(url);
    const answer = allOf(socket);
    socket.write(`POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`);
    // One chunk more than fits, each sent only when the one before has arrived or nothing more can.
    for (let count = 0; count < 12 && !socket.destroyed; count++) {
      socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`);
      if (count < 9)
        await eventually(
          () => [...upstream.seen.rests.values()].join('').length,
          (length) => length > (count + 1) * 10_000,
        );
    }
    socket.write('0\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 413 [^]*PROXY_BODY_TOO_LARGE/);
    await eventually(
      () => upstream.sockets.size,
      (size) => size === 0,
    );
    expect([upstream.seen.requests, await refused('PROXY_BODY_TOO_LARGE')]).toEqual([[], 1]);
  });

  it('passes when it just fits', async () => {
    const upstream = await counting();
    const { url } = await before(upstream.url, { proxy: { limits: { bodyBytes: 100_000 } } });
    const request = httpRequest(url, { method: 'POST' });
    for (let count = 0; count < 10; count++) request.write('x'.repeat(10_000));
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect((await bodyOf(response)).toString()).toBe('100000');
  });

  it('has the limit of its route in place of the one of the proxy, and is no failure of the service', async () => {
    const service = await counting();
    const proxy = await rig.migration({
      legacy: service.url,
      service: service.url,
      phase: 'extracted',
      routes: [{ match: 'POST /items/:id', limits: { bodyBytes: 5 } }],
      proxy: { limits: { bodyBytes: 8 } },
    });
    const post = async (path: string, body: string) =>
      (
        await proxy.get(path, {
          method: 'POST',
          body: new Blob([body]).stream(),
          duplex: 'half',
        } as RequestInit)
      ).status;
    expect(await post('/items/1', '12345')).toBe(200);
    expect(await post('/items/1', '123456')).toBe(413);
    expect(await post('/other', '12345678')).toBe(200);
    expect(await post('/other', '123456789')).toBe(413);
    expect((await proxy.evidence()).migrations['catalog']?.serviceFailures).toBe(0);
  });
});

describe('connections', () => {
  it('of one client are so many, and a place is free again when one is closed', async () => {
    const upstream = await recordingUpstream(rig);
    const { url, refused } = await before(upstream.url, { proxy: { limits: { connectionsPerClient: 2 } } });
    const [first, second] = [open(url), open(url)];
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    const third = open(url);
    expect(await allOf(third)).toBe('');
    expect(await refused('PROXY_CONNECTIONS_PER_CLIENT')).toBe(1);
    first.destroy();
    await eventually(
      () => rawExchange(url, `GET / HTTP/1.1\r\n${H}Connection: close\r\n\r\n`),
      (answer) => answer.includes('200 OK'),
    );
  });

  it('as a whole are so many; the admin port answers all the same', async () => {
    const upstream = await recordingUpstream(rig);
    const { url, admin, refused } = await before(upstream.url, { proxy: { limits: { connections: 1 } } });
    await once(open(url), 'connect');
    expect(await allOf(open(url))).toBe('');
    expect((await fetch(`${admin}/health`)).status).toBe(200);
    expect(await refused('PROXY_CONNECTIONS_FULL')).toBe(1);
  });
});

describe('a rate limit', () => {
  it('answers 429 with the time to come again, and lets through what comes then', async () => {
    const upstream = await recordingUpstream(rig);
    let now = 1_000;
    const { url, refused } = await before(upstream.url, {
      proxy: { rateLimits: [{ requests: 1, perMs: 2_000, by: 'address' }] },
      options: { now: () => now },
    });
    expect((await fetch(url)).status).toBe(200);
    const second = await fetch(url);
    expect([second.status, second.headers.get('retry-after'), second.headers.get('ratelimit')]).toEqual([
      429,
      '2',
      '"address";r=0;t=2',
    ]);
    expect(await second.json()).toMatchObject({ code: 'PROXY_RATE_LIMITED' });
    const upgrade = await rawExchange(
      url,
      `GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(upgrade).toMatch(/^HTTP\/1\.1 429 [^]*X-Request-Id: \w+\r\nretry-after: 2\r\n/);
    now += 2_000;
    expect((await fetch(url)).status).toBe(200);
    expect([upstream.seen.requests.length, await refused('PROXY_RATE_LIMITED')]).toEqual([2, 2]);
  });

  it('of a route leaves other routes alone, and a question costs nothing', async () => {
    const legacy = await rig.server((_request, response) => void response.end('ok'));
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: legacy.url,
      phase: 'extracted',
      routes: [{ match: 'GET /items/:id', rateLimit: { requests: 1, perMs: 60_000, by: 'route' } }],
    });
    for (let count = 0; count < 3; count++) await fetch(`${proxy.admin}/explain?path=/items/1`);
    expect((await proxy.get('/items/1')).status).toBe(200);
    expect((await proxy.get('/items/2')).status).toBe(429);
    expect((await proxy.get('/other')).status).toBe(200);
  });
});

describe('a place', () => {
  it('at an upstream is waited for in a bounded line; one upstream that hangs starves no other', async () => {
    const [legacy, service] = [
      await rig.server((_request, response) => void response.end('ok')),
      await holding(),
    ];
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'extracted',
      serviceOptions: { maxInFlight: 1, queue: 1, queueMs: 60_000 },
      proxy: { overload: { maxInFlight: 2 } },
    });
    const first = proxy.get('/items/1');
    await service.arrived(1);
    const second = proxy.get('/items/2');
    await eventually(
      async () => (await fetch(`${proxy.admin}/metrics`)).text(),
      (text) => text.includes('requests_waiting{at="catalog"} 1'),
    );
    const third = await proxy.get('/items/3');
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await third.json()).toMatchObject({ code: 'PROXY_UPSTREAM_FULL' });
    expect((await proxy.get('/other')).status).toBe(200);
    service.letGo();
    await service.arrived(1);
    service.letGo();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('at the proxy is not waited for when there is no queue, and is free again however a request ends', async () => {
    const legacy = await holding();
    const { url, admin, refused } = await before(legacy.url, { proxy: { overload: { maxInFlight: 1 } } });
    for (const end of ['answered', 'abandoned', 'cut'] as const) {
      const socket = open(url);
      // Not one that is repeated when its connection is cut.
      socket.write(`POST /${end} HTTP/1.1\r\n${H}\r\n`);
      await legacy.arrived(1);
      expect((await fetch(url)).status).toBe(503);
      expect((await fetch(`${admin}/ready`)).status).toBe(200);
      if (end === 'abandoned') socket.destroy();
      if (end === 'cut') legacy.held[0]?.request.socket.destroy();
      legacy.letGo();
      await eventually(
        async () => (await fetch(`${admin}/metrics`)).text(),
        (text) => text.includes('requests_in_flight 0'),
      );
      const next = fetch(url);
      await legacy.arrived(1);
      legacy.letGo();
      expect((await next).status).toBe(200);
    }
    expect(await refused('PROXY_OVERLOADED')).toBe(3);
  });

  it('is waited for only so long', async () => {
    const legacy = await holding();
    const { url } = await before(legacy.url, { upstream: { maxInFlight: 1, queue: 1, queueMs: 20 } });
    const first = fetch(url);
    await legacy.arrived(1);
    expect((await fetch(url)).status).toBe(503);
    legacy.letGo();
    expect((await first).status).toBe(200);
  });

  it('at legacy is needed for a fallback, too', async () => {
    const legacy = await holding();
    const service = await rig.server((_request, response) => void response.writeHead(503).end());
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'canary',
      share: 100,
      legacyOptions: { maxInFlight: 1 },
    });
    const first = proxy.get('/items/1');
    await legacy.arrived(1);
    expect((await proxy.get('/items/2')).status).toBe(503);
    legacy.letGo();
    expect((await first).status).toBe(200);
  });
});

describe('under strain', () => {
  const strained = async (delays: readonly number[], share?: number) => {
    const left = [...delays];
    const looks: (() => void)[] = [];
    const upstream = await rig.server((_request, response) => void response.end('ok'));
    const proxy = await rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase: 'shadow',
      ...(share !== undefined && { share }),
      proxy: { overload: { eventLoopDelayMs: 100 } },
      options: {
        watchLoop: () => ({ read: () => left.shift() ?? 0, stop: () => {} }),
        sleep: (milliseconds, signal) =>
          milliseconds === 250
            ? new Promise((done) => {
                looks.push(done);
                signal.addEventListener('abort', () => done());
              })
            : delay(milliseconds, undefined, { signal }).catch(() => {}),
      },
    });
    const look = async () => {
      await eventually(
        () => looks.length,
        (length) => length > 0,
      );
      looks.shift()?.();
      await eventually(
        () => looks.length,
        (length) => length > 0,
      );
    };
    const compared = async () => {
      const [route] = (await proxy.evidence()).migrations['catalog']?.routes ?? [];
      return route?.notCompared ?? {};
    };
    return { ...proxy, look, compared };
  };

  it('shadows are dropped first and counted, then clients are refused, and both come back', async () => {
    const proxy = await strained([60, 120, 60, 30, 10]);
    const status = async () => (await proxy.get('/items/1')).status;
    expect([await status(), await proxy.compared()]).toEqual([200, {}]);
    await proxy.look();
    expect([await status(), await proxy.compared()]).toEqual([200, { overload: 1 }]);
    await proxy.look();
    expect(await status()).toBe(503);
    expect((await fetch(`${proxy.admin}/health`)).status).toBe(200);
    await proxy.look();
    expect(await status()).toBe(503);
    await proxy.look();
    expect([await status(), await proxy.compared()]).toEqual([200, { overload: 2 }]);
    await proxy.look();
    expect([await status(), await proxy.compared()]).toEqual([200, { overload: 2 }]);
  });
});
