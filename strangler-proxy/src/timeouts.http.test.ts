import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRig, eventually, parse } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const before = async (url: string, upstream: Record<string, unknown>) =>
  rig.proxy({
    plan: parse(
      JSON.stringify({
        version: 1,
        proxy: { listen: 0, admin: 0 },
        upstreams: { legacy: { url, ...upstream } },
      }),
    ),
  });

async function failureOf(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return { status: response.status, code, message };
}

describe('the time to connect', () => {
  it('ends with a 504 that says so when an upstream takes the connection and no TLS follows', async () => {
    const silent = await rig.tcpServer((socket) => socket.resume());
    const { url } = await before(silent.url.replace('http:', 'https:'), { timeouts: { connectMs: 100 } });
    expect(await failureOf(await fetch(url))).toMatchObject({
      status: 504,
      code: 'PROXY_CONNECT_TIMEOUT',
      message: expect.stringContaining('timeouts.connectMs'),
    });
  });

  it('is also the wait for a free connection, of which there are no more than the plan says', async () => {
    const legacy = await rig.server((request, response) => {
      if (request.url !== '/held') response.end('ok');
    });
    const { url } = await before(legacy.url, { connections: 1, timeouts: { connectMs: 100 } });
    const held = new AbortController();
    const first = fetch(`${url}/held`, { signal: held.signal }).catch(() => 'left');
    await once(legacy.server, 'request');
    expect(await failureOf(await fetch(url))).toMatchObject({ code: 'PROXY_CONNECT_TIMEOUT' });
    held.abort();
    await first;
    expect(
      await eventually(
        async () => (await fetch(url)).status,
        (status) => status === 200,
      ),
    ).toBe(200);
  });
});

describe('the time to the head', () => {
  it('ends with a 504 that names the key', async () => {
    const silent = await rig.tcpServer((socket) => socket.resume());
    const { url } = await before(silent.url, { timeouts: { headMs: 100 } });
    expect(await failureOf(await fetch(url))).toMatchObject({
      status: 504,
      code: 'PROXY_UPSTREAM_TIMEOUT',
      message: expect.stringContaining('timeouts.headMs'),
    });
  });

  it('that passes because a client pauses its upload is not held against the upstream', async () => {
    const legacy = await rig.server((request) => void request.resume());
    const { url, admin } = await before(legacy.url, { timeouts: { headMs: 50 }, breaker: { failures: 1 } });
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    rig.own(() => void client.destroy());
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 504 /);
    const evidence = (await (await fetch(`${admin}/evidence`)).json()) as {
      upstreams: { legacy: { instances: { breaker: string }[] } };
    };
    expect(evidence.upstreams.legacy.instances[0]?.breaker).toBe('closed');
    expect((await fetch(url, { signal: AbortSignal.timeout(1_000) })).status).toBe(504);
    expect(await (await fetch(`${admin}/metrics`)).text()).toContain(
      'strangler_proxy_upstream_breakers{upstream="legacy",state="open"} 1',
    );
  });
});

describe('the time between two pieces of an answer', () => {
  const pausing = (type: string) =>
    rig.server((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write('first');
      setTimeout(() => response.end('second'), 400);
    });

  it.each([
    ['shorter', { idleMs: 100 }],
    ['longer', { idleMs: 100, headMs: 60 }],
  ])('(%s than that to the head) cuts an answer that stops in the middle', async (_than, timeouts) => {
    const legacy = await pausing('text/plain');
    const { url } = await before(legacy.url, { timeouts });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it.each([
    ['server-sent events', 'text/event-stream', 100],
    ['a plan that switches it off', 'text/plain', 0],
  ])('does not hold for %s', async (_for, type, idleMs) => {
    const legacy = await pausing(type);
    const { url } = await before(legacy.url, { timeouts: { idleMs } });
    expect(await (await fetch(url)).text()).toBe('firstsecond');
  });

  it('does not pass while the client does not read', async () => {
    const bytes = 32 * 1_048_576;
    const legacy = await rig.server((_request, response) => response.end(Buffer.alloc(bytes)));
    const { url } = await before(legacy.url, { timeouts: { idleMs: 100 } });
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await once(client, 'readable');
    await delay(400);
    let received = 0;
    for await (const chunk of client) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(bytes);
  });

  it('lets legacy answer when the service stops within what is held back', async () => {
    const [legacy, service] = [
      await rig.server((_request, response) => response.end('legacy')),
      await pausing('text/plain'),
    ];
    const { get } = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      serviceOptions: { timeouts: { idleMs: 100 } },
      phase: 'canary',
      share: 100,
    });
    expect(await (await get('/items/1')).text()).toBe('legacy');
  });
});

describe('the time for a whole answer', () => {
  it('cuts one that goes on for too long', async () => {
    const legacy = await rig.server((_request, response) => {
      const timer = setInterval(() => response.write('more'), 20);
      response.once('close', () => clearInterval(timer));
    });
    const { url } = await before(legacy.url, { timeouts: { bodyMs: 200 } });
    await expect((await fetch(url)).text()).rejects.toThrow('terminated');
  });
});

describe('a shadow', () => {
  it('keeps to the times of its upstream, and is counted as late', async () => {
    const legacy = await rig.server((_request, response) => response.end('legacy'));
    const service = await rig.tcpServer((socket) => socket.resume());
    const { get, evidence } = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      serviceOptions: { timeouts: { headMs: 100 } },
      proxy: { shadow: { deadlineMs: 60_000 } },
      phase: 'shadow',
    });
    await (await get('/items/1')).text();
    const late = async () => (await evidence()).migrations['catalog']?.routes[0]?.notCompared;
    expect(await eventually(late, (counts) => counts?.['deadline'] === 1)).toEqual({ deadline: 1 });
  });
});
