import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createProxyServer } from 'httpxy';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bodyOf, closedUrl, createRig, eventually, parse, rawExchange } from './proxy.fixture.js';
import { undiciTransport } from './undici-transport.js';

const rig = createRig();
afterEach(rig.clean);

const before = async (legacy: string, upstream: Record<string, unknown> = {}) =>
  rig.proxy({
    plan: parse(
      JSON.stringify({
        version: 1,
        proxy: { listen: 0, admin: 0 },
        upstreams: { legacy: { url: legacy, ...upstream } },
      }),
    ),
  });
// oxlint-disable-next-line no-underscore-dangle -- the only way to see where a pass landed
const passesOf = (proxy: ReturnType<typeof createProxyServer>) => proxy._webPasses;
const MIB = 1_048_576;

describe('the transport', () => {
  it('lands right before the pass of httpxy that would send the request itself', () => {
    const proxy = createProxyServer({});
    const passes = passesOf(proxy).slice();
    undiciTransport(() => {
      throw new Error('not called');
    })(proxy, {});
    expect(passesOf(proxy)).toHaveLength(passes.length + 1);
    expect(passesOf(proxy).at(-1)).toBe(passes.at(-1));
    expect(passes.at(-1)?.toString()).toContain('request(setupOutgoing');
  });

  it('is refused when httpxy has changed its passes', () => {
    const proxy = createProxyServer({});
    passesOf(proxy).push(function named() {});
    expect(() => undiciTransport(() => ({}) as never)(proxy as never, {})).toThrow('transport "undici"');
  });
});

describe('streaming', () => {
  it('lets a download of 64 MiB through and keeps little of it for a slow client', async () => {
    let sent = 0;
    const legacy = await rig.server((_request, response) => {
      Readable.from(
        (function* () {
          for (; sent < 64 * MIB; sent += 65_536) yield Buffer.alloc(65_536, (sent / 65_536) % 256);
        })(),
      ).pipe(response);
    });
    const { url } = await before(legacy.url);
    let [bytes, underWay] = [0, 0];
    const response = await fetch(url);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (bytes % (8 * MIB) < chunk.length) await delay(20);
      bytes += chunk.length;
      underWay = Math.max(underWay, sent - bytes);
    }
    expect(bytes).toBe(64 * MIB);
    // Two pairs of socket buffers and the streams of two programs; the system decides how large they are.
    expect(underWay).toBeLessThan(24 * MIB);
  });

  it('stops reading from the upstream while the client does not read', async () => {
    let sent = 0;
    const legacy = await rig.server((_request, response) => {
      const write = (): void => {
        let flowing = true;
        while (flowing && sent < 256 * MIB) {
          sent += 65_536;
          flowing = response.write(Buffer.alloc(65_536));
        }
        if (!flowing) response.once('drain', write);
      };
      write();
    });
    const { url } = await before(legacy.url);
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    rig.own(() => void client.destroy());
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(client, 'readable');
    let early = 0;
    await eventually(
      async () => {
        early = sent;
        await delay(300);
        return sent;
      },
      (now) => now === early,
      20_000,
    );
    expect(sent).toBeLessThan(64 * MIB);
  });

  it.each(['with a length', 'in chunks'])('lets an upload of 64 MiB through %s', async (way) => {
    let received = 0;
    const legacy = await rig.server((request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      request.on('end', () => response.end(JSON.stringify(request.headers)));
    });
    const { url } = await before(legacy.url);
    const body = Readable.from(
      (function* () {
        for (let count = 0; count < 1_024; count++) yield Buffer.alloc(65_536);
      })(),
    );
    const headers = way === 'in chunks' ? {} : { 'content-length': String(64 * MIB) };
    const request = httpRequest(url, { method: 'POST', headers });
    body.pipe(request);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const seen = JSON.parse((await bodyOf(response)).toString()) as Record<string, string>;
    expect(received).toBe(64 * MIB);
    expect(seen['content-length']).toBe(headers['content-length']);
  });

  it('passes each server-sent event on as it comes', async () => {
    const legacy = await rig.server((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: first\n\n');
      request.on('close', () => response.end());
    });
    const { url } = await before(legacy.url);
    const response = await fetch(url);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value as Uint8Array).toString()).toBe('data: first\n\n');
    await reader.cancel();
  });

  it('leaves a compressed body as it is', async () => {
    const packed = gzipSync('hello');
    const legacy = await rig.server((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(packed);
    });
    const { url } = await before(legacy.url);
    const request = httpRequest(url).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(await bodyOf(response)).toEqual(packed);
  });

  it('lets a client read the refusal of an upload it has not finished', async () => {
    const legacy = await rig.server((_request, response) => {
      response.writeHead(413, { connection: 'close' });
      response.end('too large');
    });
    const { url } = await before(legacy.url);
    const answer = await rawExchange(
      url,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${10 * MIB}\r\n\r\n${'x'.repeat(1_000)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*too large/);
  });
});

describe('an upload that is answered before its end', () => {
  const statusesOf = (answer: string): readonly string[] => answer.match(/HTTP\/1\.1 \d+/g) ?? [];
  it.each([
    ['by the upstream', 413],
    ['by the proxy, because the upstream is not there', 502],
  ])('%s is read away, and the connection goes on', async (by, status) => {
    const legacy = await rig.server((request, response) => {
      response.writeHead(request.method === 'POST' ? 413 : 200);
      response.end(request.method);
    });
    const { url } = await before(by === 'by the upstream' ? legacy.url : await closedUrl());
    const answer = await rawExchange(
      url,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${10 * MIB}\r\n\r\n${'x'.repeat(10 * MIB)}` +
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      (text) => statusesOf(text).length === 2,
    );
    expect(statusesOf(answer)).toEqual([`HTTP/1.1 ${status}`, `HTTP/1.1 ${status === 413 ? 200 : 502}`]);
  });
});

describe('a client that leaves', () => {
  it.each([
    ['while it waits', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['in the middle of an upload', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc'],
    ['in the middle of an answer', 'GET /begin HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s takes its upstream connection along', async (_when, text) => {
    let arrived = 0;
    const upstream = await rig.tcpServer((socket) =>
      socket.on('data', (chunk) => {
        arrived++;
        if (chunk.includes('/begin')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc');
      }),
    );
    const { url } = await before(upstream.url);
    const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    client.write(text);
    await eventually(
      () => arrived,
      (count) => count > 0,
    );
    await delay(20);
    client.destroy();
    expect(
      await eventually(
        () => upstream.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });

  it('in bursts leaves the proxy able to serve (connections must not stay paused on dead answers)', async () => {
    const legacy = await rig.server((request, response) => {
      if (request.url === '/quick') response.end('ok');
      else response.writeHead(200).write(Buffer.alloc(200_000));
    });
    const { url } = await before(legacy.url);
    for (let burst = 0; burst < 2; burst++) {
      const clients: Socket[] = [];
      for (let count = 0; count < 64; count++) {
        const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
        client.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
        clients.push(client);
      }
      await delay(burst === 0 ? 5 : 50);
      for (const client of clients) client.destroy();
    }
    const answers = await Promise.all(
      Array.from({ length: 64 }, async () => (await fetch(`${url}/quick`)).text()),
    );
    expect(new Set(answers)).toEqual(new Set(['ok']));
    const connections = () =>
      new Promise<number>((done) => legacy.server.getConnections((_error, count) => done(count)));
    expect(await eventually(connections, (count) => count <= 64)).toBeLessThanOrEqual(64);
  });
});

describe('an upstream that fails', () => {
  const failure = async (url: string, init?: RequestInit) => {
    const response = await fetch(url, init);
    const { code, message } = (await response.json()) as { code: string; message: string };
    expect(message).toContain('"legacy"');
    return [response.status, code];
  };

  it('to listen is a 502 that says so', async () => {
    const { url } = await before(await closedUrl());
    expect(await failure(url)).toEqual([502, 'PROXY_UPSTREAM_REFUSED']);
  });

  it.each([
    ['ends the connection', (socket: Socket) => socket.end()],
    ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ['answers what is no HTTP', (socket: Socket) => socket.end('hello\r\n\r\n')],
    [
      'sends length and chunks',
      (socket: Socket) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    ],
  ])('and %s before the head is a 502 that says so', async (_how, fail) => {
    const upstream = await rig.tcpServer((socket) => socket.once('data', () => fail(socket)));
    const { url } = await before(upstream.url);
    expect(await failure(url)).toEqual([502, 'PROXY_UPSTREAM_RESET']);
    expect(await failure(url, { method: 'POST', body: 'x' })).toEqual([502, 'PROXY_UPSTREAM_RESET']);
  });

  it.each(['is not there', 'resets', 'keeps silent'])(
    'and %s tells it also to a client that is still uploading',
    async (way) => {
      const upstream = await rig.tcpServer((socket) => {
        if (way === 'resets') socket.once('data', () => socket.resetAndDestroy());
      });
      const { url } = await before(way === 'is not there' ? await closedUrl() : upstream.url, {
        timeoutMs: 200,
      });
      const answer = await rawExchange(
        url,
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${10 * MIB}\r\n\r\n${'x'.repeat(100_000)}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 50[24] [^]*"PROXY_UPSTREAM_/);
    },
  );

  it('to answer in time is a 504 that says so, and its connection is closed', async () => {
    const upstream = await rig.tcpServer((socket) => socket.resume());
    const { url } = await before(upstream.url, { timeoutMs: 100 });
    expect(await failure(url)).toEqual([504, 'PROXY_UPSTREAM_TIMEOUT']);
    expect(
      await eventually(
        () => upstream.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });

  it('is not timed while an upload is still on its way', async () => {
    const legacy = await rig.server((request, response) => {
      request.on('end', () => response.end('done')).resume();
    });
    const { url } = await before(legacy.url, { timeoutMs: 1_000 });
    const request = httpRequest(url, { method: 'POST' });
    for (let part = 0; part < 6; part++) {
      request.write('part');
      await delay(250);
    }
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect((await bodyOf(response)).toString()).toBe('done');
  });

  it.each([
    ['with a length', 'content-length: 100\r\n\r\nabc'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('in the middle of an answer %s cuts the client’s connection', async (_how, rest) => {
    const upstream = await rig.tcpServer((socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
    );
    const { url } = await before(upstream.url);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('only because it just closed a kept connection is asked once more, when that is safe', async () => {
    let requests = 0;
    const upstream = await rig.tcpServer((socket) => {
      let served = false;
      socket.on('data', (chunk) => {
        requests++;
        if (served || chunk.includes('POST')) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        served = true;
      });
    });
    const { url } = await before(upstream.url);
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(requests).toBe(3);
    const unsafe = await fetch(url, { method: 'POST', body: 'x' });
    expect(unsafe.status).toBe(502);
    expect(requests).toBe(4);
  });
});

describe('an upgrade', () => {
  const upgrade = (path = '/socket') =>
    `GET ${path} HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: a=b; strangler_id=x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n';

  it('joins client and legacy, both ways', async () => {
    const seen: IncomingMessage[] = [];
    const legacy = await rig.server(() => {});
    legacy.server.on('upgrade', (request, socket) => {
      seen.push(request);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    const { url } = await before(legacy.url);
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    rig.own(() => void client.destroy());
    let got = '';
    client.on('data', (chunk) => (got += chunk.toString()));
    client.write(upgrade('//socket?a=%2f'));
    await eventually(
      () => got,
      (text) => text.includes('101 Switching'),
    );
    client.write('ping');
    await eventually(
      () => got,
      (text) => text.endsWith('ping'),
    );
    expect(seen[0]?.url).toBe('//socket?a=%2f');
    expect(seen[0]?.headers).toMatchObject({
      host: 'shop.test',
      cookie: 'a=b',
      'x-forwarded-for': '127.0.0.1',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    const connections = () =>
      new Promise<number>((done) => legacy.server.getConnections((_error, count) => done(count)));
    expect(await connections()).toBe(1);
    client.resetAndDestroy();
    expect(await eventually(connections, (count) => count === 0)).toBe(0);
  });

  it('ends when the proxy stops, on both sides', async () => {
    const legacy = await rig.server(() => {});
    const sides: Duplex[] = [];
    legacy.server.on('upgrade', (_request, socket) => {
      sides.push(socket.resume());
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const { url, stop } = await before(legacy.url);
    const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    client.write(upgrade());
    await once(client.resume(), 'data');
    await stop();
    expect(await eventually(() => client.destroyed, Boolean)).toBe(true);
    expect(await eventually(() => sides[0]?.readableEnded, Boolean)).toBe(true);
  });

  it('that legacy refuses is answered with its refusal and ended', async () => {
    const legacy = await rig.server((_request, response) => {
      response.writeHead(403);
      response.end('no');
    });
    const { url } = await before(legacy.url);
    expect(await rawExchange(url, upgrade())).toMatch(/^HTTP\/1\.1 403 [^]*no/);
  });

  it('is answered and ended when legacy cannot be reached or keeps silent', async () => {
    const gone = await before(await closedUrl());
    expect(await rawExchange(gone.url, upgrade())).toMatch(/^HTTP\/1\.1 502 [^]*PROXY_UPSTREAM_REFUSED/);
    const silent = await rig.tcpServer((socket) => socket.resume());
    const { url } = await before(silent.url, { timeoutMs: 100 });
    const answer = await rawExchange(url, upgrade());
    expect(answer === '' || answer.startsWith('HTTP/1.1 504')).toBe(true);
    expect(
      await eventually(
        () => silent.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });
});
