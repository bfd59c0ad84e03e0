import { afterEach, describe, expect, it } from '@jest/globals';
import { createRig, parse, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

/** A proxy before an upstream that writes down what it gets, on the wire's own level. */
async function setup(answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok') {
  const seen: string[] = [];
  const upstream = await rig.tcpServer((socket) =>
    socket.on('data', (chunk) => {
      seen.push(chunk.toString('latin1'));
      socket.write(answer, 'latin1');
    }),
  );
  const plan = parse(
    `{ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: "${upstream.url}" } }`,
  );
  const { url } = await rig.proxy({ plan });
  const exchange = (text: string) => rawExchange(url, text);
  return { seen, exchange, connections: upstream.sockets };
}
const get = (target: string, ...headers: string[]) =>
  ['GET', target, 'HTTP/1.1\r\nHost: shop.test\r\n'].join(' ') +
  headers.map((line) => `${line}\r\n`).join('') +
  '\r\n';

const withoutId = (text: string): string => text.replaceAll(/(X-Request-Id: )[\da-f]{32}/g, '$1ID');

describe('what an upstream gets to see', () => {
  it('is the request without what belongs to the connection, and with forwarded headers of our own', async () => {
    const { seen, exchange } = await setup();
    await exchange(
      get(
        '/a',
        'Connection: keep-alive, X-Hop',
        'X-Hop: 1',
        'TE: gzip',
        'Upgrade: h2c',
        'Proxy-Authorization: z',
        'X-Forwarded-For: 6.6.6.6',
        'Expect: 100-continue',
        'X-Kept: \u00e9',
        'Cookie: a=b; strangler_id=x',
      ),
    );
    expect(withoutId(seen.join('')).split('\r\n').filter(Boolean)).toEqual([
      'GET /a HTTP/1.1',
      'host: shop.test',
      'connection: keep-alive',
      'X-Kept: \u00e9',
      'Cookie: a=b',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: shop.test',
      'X-Request-Id: ID',
    ]);
  });

  it.each([
    '//evil.test/admin',
    '//',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a%2fb',
    '/a%5cb',
    '/a%252fb',
    '/a;b=c',
    '/a\\b',
    '/%00',
    '/a%zz',
    '/a?x=//y&z=%2f',
    '/a#b',
    '/?',
    '/a%20b',
  ])('is the target "%s" byte for byte', async (target) => {
    const { seen, exchange } = await setup();
    expect(await exchange(get(target))).toContain('200 OK');
    expect(seen.join('')).toContain(`GET ${target} HTTP/1.1\r\n`);
  });

  it('is a path where the client sent a whole URL, with the host of that URL', async () => {
    const { seen, exchange } = await setup();
    await exchange(get('http://other.test/a/../b?c'));
    expect(seen.join('')).toMatch(/^GET \/a\/\.\.\/b\?c HTTP\/1\.1\r\nhost: other\.test\r\n/);
  });

  it('is every repetition of a header', async () => {
    const { seen, exchange } = await setup();
    await exchange(get('/', 'X-A: 1', 'Via: p', 'X-A: 2'));
    expect(seen.join('').match(/X-A: \d/g)).toEqual(['X-A: 1', 'X-A: 2']);
  });

  it('is the plain request inside an offer of h2c', async () => {
    const { seen, exchange } = await setup();
    const answer = await exchange(
      get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAA'),
    );
    expect(answer).toContain('200 OK');
    expect(seen.join('').toLowerCase()).not.toMatch(/upgrade|http2-settings/);
  });
});

describe('what is refused before anybody sees it', () => {
  it.each([
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['the whole server', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['chunks in disguise', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    [
      'a websocket to two hosts',
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('is %s', async (_what, text) => {
    const { seen, exchange } = await setup();
    expect(await exchange(text)).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toEqual([]);
  });
});

describe('what a client gets to see', () => {
  it('is the answer without what belongs to the connection, in its order, case and number', async () => {
    const { exchange } = await setup(
      'HTTP/1.1 201 Made It\r\nDate: then\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\n' +
        'Set-Cookie: a=1\r\nX-Latin: \u00e9\r\nset-cookie: b=2\r\nLocation: http://shop.test/x\r\nContent-Length: 2\r\n\r\nok',
    );
    const answer = await exchange(get('/'));
    expect(withoutId(answer).split('\r\n')).toEqual([
      'HTTP/1.1 201 Made It',
      'Date: then',
      'Set-Cookie: a=1',
      'X-Latin: \u00e9',
      'set-cookie: b=2',
      'Location: http://shop.test/x',
      'Content-Length: 2',
      'X-Request-Id: ID',
      'Connection: keep-alive',
      'Keep-Alive: timeout=65',
      '',
      'ok',
    ]);
  });

  it('ends the connection when the client asked for that', async () => {
    const { exchange } = await setup();
    expect(await exchange(get('/', 'Connection: close'))).toContain('Connection: close');
  });

  it('is nothing but the head for HEAD, 204 and 304', async () => {
    const head = await setup('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    expect(await head.exchange('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(
      /Content-Length: 5\r\n[^]*\r\n\r\n$/,
    );
    for (const status of ['204 No Content', '304 Not Modified']) {
      const { exchange } = await setup(`HTTP/1.1 ${status}\r\nETag: "1"\r\n\r\n`);
      const answer = await exchange(get('/'));
      expect(answer).toMatch(/\r\n\r\n$/);
      expect(answer).not.toMatch(/transfer-encoding/i);
    }
  });

  it('comes over one upstream connection for request after request', async () => {
    const { exchange, connections, seen } = await setup();
    for (let count = 0; count < 5; count++) await exchange(get('/', 'Connection: close'));
    expect([seen.length, connections.size]).toEqual([5, 1]);
  });
});

describe('a plan of five lines', () => {
  it('puts the proxy before any HTTP server and changes nothing', async () => {
    const legacy = await rig.server((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(202, { 'X-Method': request.method as string, 'Set-Cookie': ['a=1', 'b=2'] });
        response.end(`${request.url as string} ${Buffer.concat(chunks).toString()}`);
      });
    });
    const plan = parse(`version: 1
proxy:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
upstreams: { legacy: "${legacy.url}" }`);
    const { url } = await rig.proxy({ plan });
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const body = method === 'GET' ? null : 'the body';
      const [direct, through] = await Promise.all(
        [legacy.url, url].map((base) => fetch(`${base}/any/path?q=1`, { method, body })),
      );
      expect(through?.status).toBe(direct?.status);
      expect(await through?.text()).toBe(await direct?.text());
      expect(through?.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      expect(through?.headers.get('x-method')).toBe(method);
    }
  });
});
