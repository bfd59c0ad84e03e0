import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closedUrl, createRig, eventually, parse } from './proxy.fixture.js';
import { answerOf, ask, certify, http2Client, putCertificate } from './tls.fixture.js';

const rig = createRig();
afterEach(rig.clean);
const MIB = 1_048_576;

async function inFrontOf(legacy: string, options = '', limits = '') {
  const at = await rig.folder();
  const certificate = await certify();
  await putCertificate(at, certificate);
  const plan = parse(
    `version: 1
proxy: { listen: 0, admin: 0, tls: { listen: 0, cert: cert.pem, key: key.pem } ${limits && `, ${limits}`} }
upstreams: { legacy: { url: "${legacy}" ${options} } }`,
    at,
  );
  const proxy = await rig.proxy({ plan });
  const client = () => {
    const session = http2Client(proxy.tls, certificate);
    rig.own(() => session.destroy());
    return session;
  };
  return { ...proxy, client, certificate };
}
const serving = async (listener: RequestListener) => inFrontOf((await rig.server(listener)).url);

/** RFC 9113, 4.1. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** An upstream that writes down what it gets, and answers with bytes as they are. */
async function raw(answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok') {
  const seen: string[] = [];
  const upstream = await rig.tcpServer((socket) =>
    socket.on('data', (chunk) => {
      seen.push(chunk.toString('latin1'));
      socket.write(answer, 'latin1');
    }),
  );
  return { ...(await inFrontOf(upstream.url)), seen, upstream };
}

describe('a request over HTTP/2', () => {
  it('reaches the upstream as one of HTTP/1.1, with the authority as its host and its cookies in one header', async () => {
    const { client, seen } = await raw();
    const session = client();
    await ask(session, '/a?b=c', { 'x-kept': '1', te: 'trailers', cookie: ['a=1', 'b=2', 'strangler_id=x'] });
    expect(
      seen
        .join('')
        .replace(/(X-Request-Id: )\w+/, '$1ID')
        .split('\r\n')
        .filter(Boolean),
    ).toEqual([
      'GET /a?b=c HTTP/1.1',
      'host: shop.test',
      'connection: keep-alive',
      'x-kept: 1',
      'cookie: a=1; b=2',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.test',
      'X-Request-Id: ID',
      'TE: trailers',
    ]);
  });

  it.each([
    ['another host than its authority', { host: 'evil.test' }, '/'],
    ['a space in its path', {}, '/a b'],
    ['a line break in its path', {}, '/a\r\nX: 1'],
    ['a path that is no path', {}, 'a'],
    ['the whole server as its path', { ':method': 'OPTIONS' }, '*'],
  ])('with %s never reaches an upstream', async (_what, headers, path) => {
    const { client, seen } = await raw();
    // By node:http2, which resets the stream, or by the proxy.
    const refused = await ask(client(), path, headers).then(
      (answer) => answer.headers[':status'],
      () => 400,
    );
    expect(refused).toBe(400);
    expect(seen).toEqual([]);
  });

  it('to connect to somebody is refused', async () => {
    const { client, seen } = await raw();
    const stream = client().request({ ':method': 'CONNECT', ':authority': 'evil.test:443' });
    expect((await answerOf(stream)).headers[':status']).toBe(405);
    expect(seen).toEqual([]);
  });

  it('carries its body, with and without a length, however large', async () => {
    const { client } = await serving((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(`${request.headers['content-length']} ${hash.digest('hex')}`));
    });
    const session = client();
    const body = randomBytes(16 * MIB);
    const digest = createHash('sha256').update(body).digest('hex');
    const post = { ':method': 'POST' };
    expect((await ask(session, '/', post, body)).body).toBe(`undefined ${digest}`);
    expect((await ask(session, '/', { ...post, 'content-length': body.length }, body)).body).toBe(
      `${body.length} ${digest}`,
    );
  });

  it('whose client takes it back ends at the upstream too', async () => {
    let asked: Socket | undefined;
    const { client } = await serving((request, response) => {
      asked = request.socket;
      response.write('begin');
    });
    const session = client();
    const stream = session.request({ ':path': '/', ':authority': 'shop.test' });
    await once(stream, 'data');
    stream.close(constants.NGHTTP2_CANCEL);
    await eventually(
      () => asked?.destroyed,
      (is) => is === true,
    );
    expect(session.closed).toBe(false);
  });
});

describe('an answer over HTTP/2', () => {
  it('has every header but those of a connection, in number and order', async () => {
    const { client } = await raw(
      'HTTP/1.1 201 Made It\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nUpgrade: h2c\r\n' +
        'Set-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Type: text/a\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\nok',
    );
    const { headers, body } = await ask(client(), '/');
    expect([
      body,
      headers[':status'],
      headers['set-cookie'],
      headers['x-two'],
      headers['content-type'],
    ]).toEqual(['ok', 201, ['a=1', 'b=2'], '1, 2', 'text/a']);
    expect(headers['x-request-id']).toMatch(/^[\da-f]{32}$/);
    for (const name of ['connection', 'keep-alive', 'upgrade', 'x-hop', 'transfer-encoding'])
      expect(headers[name]).toBeUndefined();
  });

  it('passes on a header that an upstream gives twice and should not', async () => {
    const { client } = await raw(
      'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\nok',
    );
    expect((await ask(client(), '/')).body).toBe('ok');
  });

  it('is nothing but the head for HEAD, 204 and 304', async () => {
    const head = await raw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    const { headers, body } = await ask(head.client(), '/', { ':method': 'HEAD' });
    expect([headers['content-length'], body]).toEqual(['5', '']);
    for (const status of ['204 No Content', '304 Not Modified']) {
      const { client } = await raw(`HTTP/1.1 ${status}\r\nETag: "1"\r\n\r\n`);
      const answer = await ask(client(), '/');
      expect([answer.headers[':status'], answer.headers['etag'], answer.body]).toEqual([
        Number(status.slice(0, 3)),
        '"1"',
        '',
      ]);
    }
  });

  it('comes as it is sent, and many come at once', async () => {
    const open: ServerResponse[] = [];
    const { client } = await serving((_request, response) => {
      open.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const session = client();
    const streams = Array.from({ length: 50 }, () =>
      session.request({ ':path': '/', ':authority': 'shop.test' }),
    );
    const first = await Promise.all(streams.map(async (stream) => String((await once(stream, 'data'))[0])));
    expect(new Set(first)).toEqual(new Set(['data: 1\n\n']));
    for (const response of open) response.end('data: 2\n\n');
    const second = await Promise.all(streams.map(async (stream) => String((await once(stream, 'data'))[0])));
    expect(new Set(second)).toEqual(new Set(['data: 2\n\n']));
  });

  it('waits for a client that reads slowly, and so does its upstream', async () => {
    let sent = 0;
    let isDone = false;
    const { client } = await serving((_request, response) => {
      const write = () => {
        while (sent < 64) {
          sent++;
          if (!response.write(Buffer.alloc(MIB, sent))) return void response.once('drain', write);
        }
        isDone = true;
        response.end();
      };
      write();
    });
    const stream = client().request({ ':path': '/', ':authority': 'shop.test' });
    stream.pause();
    await once(stream, 'response');
    // The upstream has stopped when what it has sent no longer grows between two looks.
    let before = -1;
    await eventually(
      async () => {
        const stands = sent === before;
        before = sent;
        await new Promise((done) => setTimeout(done, 100));
        return stands;
      },
      (stands) => stands,
    );
    expect([isDone, sent < 32]).toEqual([false, true]);
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(64 * MIB);
  });

  it('that breaks off in the middle is reset with an error, so that nobody takes it for whole', async () => {
    const upstream = await rig.tcpServer((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
    );
    const { client } = await inFrontOf(upstream.url);
    const session = client();
    await expect(ask(session, '/')).rejects.toThrow('INTERNAL_ERROR');
    expect(session.destroyed).toBe(false);
  });

  it('of an upstream that is not there is an error with the id of the request', async () => {
    const { client } = await inFrontOf(await closedUrl());
    const { headers, body } = await ask(client(), '/', { ':method': 'POST' }, 'x');
    expect(headers[':status']).toBe(502);
    expect(JSON.parse(body)).toMatchObject({
      code: 'PROXY_UPSTREAM_REFUSED',
      requestId: headers['x-request-id'],
    });
  });

  it('may come before its request has been read, and the session goes on', async () => {
    const { client } = await serving((_request, response) => {
      response.writeHead(413).end('too large');
    });
    const session = client();
    const stream = session.request({ ':path': '/', ':authority': 'shop.test', ':method': 'POST' });
    stream.on('error', () => {}).write(Buffer.alloc(4 * MIB));
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
    expect(headers[':status']).toBe(413);
    stream.close();
    expect((await ask(session, '/')).headers[':status']).toBe(413);
  });
});

describe('a limit of the plan', () => {
  const limited = async (proxy: string) => {
    const seen: string[] = [];
    const { url } = await rig.server((request, response) => {
      seen.push(request.url ?? '');
      request.resume().on('end', () => response.end('ok'));
    });
    const front = await inFrontOf(url, '', proxy);
    return { ...front, seen, session: front.client() };
  };

  it.each([
    [414, { ':path': `/${'x'.repeat(100)}` }],
    [431, Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}`, '1']))],
    [431, { x: 'y'.repeat(2_048) }],
    [413, { ':method': 'POST', 'content-length': '11' }],
  ])('is held over HTTP/2: %d', async (status, headers) => {
    const { session, seen } = await limited(
      'limits: { headBytes: 1024, headers: 20, targetBytes: 100, bodyBytes: 10 }',
    );
    const answer = await ask(session, '/', headers, status === 413 ? 'x'.repeat(11) : undefined);
    expect([answer.headers[':status'], seen]).toEqual([status, []]);
    expect(JSON.parse(answer.body)).toMatchObject({ requestId: answer.headers['x-request-id'] });
    expect((await ask(session, '/next')).body).toBe('ok');
  });

  it('ends an upload that grows too long, and its stream alone', async () => {
    const { session, seen } = await limited('limits: { bodyBytes: 100000 }');
    const stream = session.request({ ':path': '/', ':authority': 'shop.test', ':method': 'POST' });
    stream.on('error', () => {}).write(Buffer.alloc(MIB));
    const { headers, body } = await answerOf(stream);
    expect([headers[':status'], JSON.parse(body)]).toEqual([
      413,
      expect.objectContaining({ code: 'PROXY_BODY_TOO_LARGE' }),
    ]);
    expect((await ask(session, '/next')).body).toBe('ok');
    expect(seen.at(-1)).toBe('/next');
  });

  it('counts streams as requests, and says when to come again', async () => {
    const { session, seen } = await limited('rateLimits: [{ requests: 1, perMs: 60000, by: address }]');
    expect((await ask(session, '/')).headers[':status']).toBe(200);
    const { headers } = await ask(session, '/');
    expect([headers[':status'], headers['retry-after'], seen.length]).toEqual([429, '60', 1]);
  });

  it.each(['connections', 'connectionsPerClient'])('of %s counts both listeners together', async (key) => {
    const { session, url, admin } = await limited(`limits: { ${key}: 1 }`);
    expect((await ask(session, '/')).body).toBe('ok');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(
      /refused_total\{code="PROXY_CONNECTIONS_\w+"\} 1/,
    );
    session.destroy();
    await eventually(
      () =>
        fetch(url).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 200,
    );
  });
});

describe('a session', () => {
  it('is told to send nothing new when the proxy stops, and gets the answers that are on their way', async () => {
    const open: ServerResponse[] = [];
    const { client, stop } = await serving((_request, response) => void open.push(response));
    const session = client();
    const away = once(session, 'goaway');
    const answer = ask(session, '/');
    await eventually(
      () => open.length,
      (count) => count === 1,
    );
    const stopped = stop();
    await away;
    open[0]?.end('late');
    expect((await answer).body).toBe('late');
    await stopped;
    await eventually(
      () => session.destroyed,
      (is) => is,
    );
  });

  it('that opens and resets streams without end is ended, and others are served', async () => {
    const { tls, client, certificate } = await serving((_request, response) => void response.end('ok'));
    const other = client();
    await ask(other, '/');
    const flood = connect({
      port: Number(new URL(tls).port),
      host: '127.0.0.1',
      servername: 'shop.test',
      ca: certificate.cert,
      ALPNProtocols: ['h2'],
    });
    rig.own(() => void flood.destroy());
    const ended = once(flood.on('error', () => {}).resume(), 'close');
    // HEADERS with indexed :method GET, :path / and :scheme https and a literal :authority, and RST_STREAM with CANCEL.
    const head = Buffer.from('828487410973686f702e74657374', 'hex');
    const frames = Array.from({ length: 2_000 }, (_, index) => [
      frame(1, 0x5, index * 2 + 1, head),
      frame(3, 0, index * 2 + 1, Buffer.from([0, 0, 0, 8])),
    ]);
    flood.write(
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0), ...frames.flat()]),
    );
    await ended;
    expect((await ask(other, '/')).body).toBe('ok');
  });

  it('learns how many streams it may have at once', async () => {
    const { client } = await serving((_request, response) => void response.end());
    const [settings] = (await once(client(), 'remoteSettings')) as [{ maxConcurrentStreams: number }];
    expect(settings).toMatchObject({ maxConcurrentStreams: 128, enableConnectProtocol: false });
  });
});
