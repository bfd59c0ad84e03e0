import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closedUrl, createRig, eventually } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const KIB = 1_024;
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 200000\r\n\r\n';

/** Everybody is diverted to a service that does what the test says; legacy answers "legacy". */
async function setup(service: string, serviceOptions: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const legacy = await rig.server((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.end('legacy');
  });
  const proxy = await rig.migration({
    legacy: legacy.url,
    service,
    serviceOptions,
    phase: 'canary',
    share: 100,
  });
  const evidence = async () => {
    const { migrations, requests } = await proxy.evidence();
    const { serviceFailures, routes } = migrations['catalog'] ?? {};
    return { failed: requests.failed, serviceFailures, served: routes?.[0]?.served };
  };
  return { ...proxy, evidence, asked };
}

describe('a diverted read', () => {
  it.each([
    ['ends the connection', (socket: Socket) => socket.end()],
    ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ['says nothing', () => {}],
    ['answers what is no HTTP', (socket: Socket) => socket.end('what?\r\n\r\n')],
    [
      'answers 502',
      (socket: Socket) => socket.write('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nbad'),
    ],
    [
      'answers 503',
      (socket: Socket) => socket.write('HTTP/1.1 503 Unavailable\r\ncontent-length: 3\r\n\r\nbad'),
    ],
    ['answers 504', (socket: Socket) => socket.write('HTTP/1.1 504 Timeout\r\ncontent-length: 3\r\n\r\nbad')],
    ['dies behind the head', (socket: Socket) => socket.end(HEAD)],
    [
      'dies in mid-answer',
      (socket: Socket) => {
        socket.write(`${HEAD}${'x'.repeat(60 * KIB)}`);
        setTimeout(() => socket.resetAndDestroy(), 20);
      },
    ],
  ])('whose service %s is answered by legacy, and counted', async (_what, act) => {
    const service = await rig.tcpServer((socket) => socket.on('data', () => act(socket)));
    const { get, evidence } = await setup(service.url, { timeoutMs: 150 });
    const answer = await get('/items/1');
    expect([answer.status, await answer.text()]).toEqual([200, 'legacy']);
    expect(answer.headers.get('set-cookie')).toContain('strangler_id=');
    expect(await evidence()).toEqual({
      failed: 0,
      serviceFailures: 1,
      served: { legacy: 0, service: 0, fallback: 1 },
    });
  });

  it('whose service is not there is answered by legacy, HEAD too', async () => {
    const { get, asked } = await setup(await closedUrl());
    expect(await (await get('/items/1')).text()).toBe('legacy');
    expect((await get('/items/2', { method: 'HEAD' })).status).toBe(200);
    expect(asked).toEqual(['GET /items/1', 'HEAD /items/2']);
  });

  it.each([500, 501, 404, 429])('whose service answers %i keeps that answer: it is one', async (status) => {
    const service = await rig.server((_request, response) => {
      response.writeHead(status);
      response.end('service');
    });
    const { get, evidence, asked } = await setup(service.url);
    expect(await (await get('/items/1')).text()).toBe('service');
    expect(asked).toEqual([]);
    expect((await evidence()).serviceFailures).toBe(status >= 500 ? 1 : 0);
  });

  it('is cut, never mixed, when the service dies behind the first 64 KiB', async () => {
    const service = await rig.tcpServer((socket) =>
      socket.on('data', () => {
        socket.write(`${HEAD}${'x'.repeat(100 * KIB)}`);
        setTimeout(() => socket.resetAndDestroy(), 100);
      }),
    );
    const { get, evidence, asked } = await setup(service.url);
    const answer = await get('/items/1');
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(asked).toEqual([]);
    expect(await eventually(evidence, ({ failed }) => failed === 1)).toMatchObject({ serviceFailures: 1 });
  });

  it('of a long answer comes whole', async () => {
    const body = Buffer.alloc(1_000 * KIB, 'abcdefg');
    const service = await rig.server((_request, response) => response.end(body));
    const { get } = await setup(service.url);
    expect(Buffer.from(await (await get('/items/1')).arrayBuffer()).equals(body)).toBe(true);
  });

  it('of server-sent events is not held back', async () => {
    const service = await rig.server((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const { get } = await setup(service.url);
    const answer = await get('/items/1');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe('data: 1\n\n');
    await reader.cancel();
  });

  it('of a slow answer is held for a second and no longer', async () => {
    const service = await rig.server((_request, response) => {
      response.writeHead(200);
      response.write('slow');
    });
    const { get } = await setup(service.url);
    const answer = await get('/items/1');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe('slow');
    await reader.cancel();
  });

  it('that legacy cannot answer either is a bad gateway that names legacy', async () => {
    const proxy = await rig.migration({
      legacy: await closedUrl(),
      service: await closedUrl(),
      phase: 'canary',
      share: 100,
    });
    const answer = await proxy.get('/items/1');
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      code: 'PROXY_UPSTREAM_REFUSED',
      message: expect.stringContaining('"legacy"'),
    });
    expect((await proxy.evidence()).requests).toEqual({ total: 1, failed: 1 });
  });

  it('whose client leaves while it is held asks nobody else', async () => {
    const service = await rig.tcpServer((socket) => socket.resume());
    const { get, asked } = await setup(service.url);
    await expect(get('/items/1', { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
    expect(
      await eventually(
        () => service.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
    await delay(50);
    expect(asked).toEqual([]);
  });

  it('is never a write: a write of a migration in canary goes to legacy at once', async () => {
    const { get, asked } = await setup(await closedUrl());
    expect(await (await get('/items/1', { method: 'POST', body: 'x' })).text()).toBe('legacy');
    expect(asked).toEqual(['POST /items/1']);
  });
});

describe('a service with a health path', () => {
  it('that is not healthy gets nobody, until it is again', async () => {
    let status = 200;
    const service = await rig.server((request, response) => {
      if (request.url === '/health') response.writeHead(status);
      response.end('service');
    });
    const { get, evidence, admin } = await setup(service.url, { health: '/health' });
    const who = async () => (await get('/items/1')).text();
    expect(await who()).toBe('service');
    status = 503;
    expect(await eventually(who, (answer) => answer === 'legacy')).toBe('legacy');
    const explained = (await (await fetch(`${admin}/explain?path=/items/1`)).json()) as { reason: string };
    expect(explained.reason).toContain('"catalog" is not healthy (/health answers 503)');
    expect((await evidence()).serviceFailures).toBe(0);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('strangler_proxy_upstream_healthy{upstream="catalog"} 0');
    status = 200;
    expect(await eventually(who, (answer) => answer === 'service')).toBe('service');
  });
});
