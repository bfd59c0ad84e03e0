import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bodyOf, createRig, eventually, parse, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const before = async (legacy: string, proxy: Record<string, unknown> = {}) =>
  rig.proxy({
    plan: parse(
      JSON.stringify({ version: 1, proxy: { listen: 0, admin: 0, ...proxy }, upstreams: { legacy } }),
    ),
  });
/** An upstream that answers every request it has read to its head with these bytes. */
const saying = (text: string) =>
  rig.tcpServer((socket) => socket.on('data', (chunk) => chunk.includes('\r\n\r\n') && socket.write(text)));
/** Writes piece by piece, each when the answer so far has the text before it; gives all that comes back. */
async function talk(url: string, ...steps: readonly (readonly [after: string, text: string])[]) {
  const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  rig.own(() => void client.destroy());
  let got = '';
  client.on('data', (chunk) => (got += chunk.toString('latin1')));
  for (const [after, text] of steps) {
    await eventually(
      () => got,
      (seen) => seen.includes(after),
    );
    client.write(text);
  }
  return {
    got: (text: string) =>
      eventually(
        () => got,
        (seen) => seen.includes(text),
      ),
    client,
  };
}

describe('trailers', () => {
  it('of an answer reach the client behind the body, and never in its head', async () => {
    const upstream = await saying(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n' +
        '2\r\nok\r\n0\r\nX-Sum: 9\r\nSet-Cookie: a=b\r\nIf-Match: 3\r\nX-Late: 1\r\n\r\n',
    );
    const { url } = await before(upstream.url);
    const answer = await rawExchange(url, 'GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n');
    const [head, ...body] = answer.split('\r\n\r\n');
    expect(head).toContain('Trailer: X-Sum\r\n');
    expect(head).not.toMatch(/x-sum: 9|set-cookie|x-late/i);
    expect(body.join('\r\n\r\n')).toBe('2\r\nok\r\n0\r\nX-Sum: 9\r\nX-Late: 1\r\n\r\n');
  });

  it.each([
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', /200 OK[^]*ok$/],
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', /200 OK[^]*\r\n\r\n$/],
  ])('are left out where nothing can carry them: %s', async (_what, request, answer) => {
    const body = request.startsWith('HEAD') ? '' : '2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n';
    const upstream = await saying(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${body}`,
    );
    const { url } = await before(upstream.url);
    const got = await rawExchange(url, request);
    expect(got).toMatch(answer);
    expect(got).not.toMatch(/x-sum/i);
  });

  it('of a request reach the upstream behind the body, without the forbidden ones', async () => {
    let seen: IncomingMessage | undefined;
    const legacy = await rig.server((request, response) => {
      seen = request;
      request.pipe(response);
    });
    const { url } = await before(legacy.url);
    const answer = await rawExchange(
      url,
      'POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Cookie\r\nTE: trailers\r\n\r\n' +
        '2\r\nok\r\n0\r\nX-Sum: 9\r\nCookie: a=b\r\n\r\n',
    );
    expect(answer).toMatch(/200 OK[^]*ok/);
    expect(seen?.headers).toMatchObject({ trailer: 'X-Sum', te: 'trailers', host: 'shop.test' });
    expect(seen?.headers.cookie).toBeUndefined();
    expect(seen?.rawTrailers).toEqual(['X-Sum', '9']);
  });

  it('cost a request that is refused while it is sent nothing: the refusal comes whole', async () => {
    const upstream = await rig.tcpServer((socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig'),
      ),
    );
    const { url } = await before(upstream.url);
    const answer = await rawExchange(
      url,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*big/);
  });
});

describe('answers before the answer', () => {
  const hints =
    'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n' +
    'Connection: x-secret\r\nX-Secret: 1\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

  it('reach the client in order, with their own headers', async () => {
    const upstream = await saying(hints);
    const { url } = await before(upstream.url);
    const answer = await rawExchange(url, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 102', 'HTTP/1.1 103', 'HTTP/1.1 200']);
    expect(answer).toContain(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n',
    );
  });

  it('do not reach a client of HTTP/1.0', async () => {
    const upstream = await saying(hints);
    const { url } = await before(upstream.url);
    expect(await rawExchange(url, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a client that expects to be asked for its body', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';

  it('is asked when the upstream asks, and its connection goes on', async () => {
    const asked: string[] = [];
    const upstream = createServer((request, response) => {
      response.write('got ');
      request.on('data', (chunk: Buffer) => response.write(chunk)).on('end', () => response.end('.'));
    });
    upstream.on('checkContinue', (request: IncomingMessage, response) => {
      asked.push(String(request.headers.expect));
      response.writeContinue();
      upstream.emit('request', request, response);
    });
    await new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done));
    rig.own(() => void upstream.close());
    const { url } = await before(`http://127.0.0.1:${(upstream.address() as { port: number }).port}`);
    const { got } = await talk(
      url,
      ['', head],
      ['100 Continue\r\n\r\n', 'body'],
      ['.\r\n0\r\n\r\n', 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'],
    );
    const answer = await eventually(
      () => got(''),
      (text) => text.match(/\r\n0\r\n\r\n/g)?.length === 2,
    );
    expect(answer).toContain('body');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(asked).toEqual(['100-continue']);
  });

  it('gets the refusal of the upstream in place of the question, and its connection is closed', async () => {
    const sockets: Socket[] = [];
    const upstream = await rig.tcpServer((socket) => {
      sockets.push(socket);
      socket.on('data', (chunk) => {
        if (chunk.includes('\r\n\r\n')) socket.write('HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nno');
      });
    });
    const { url } = await before(upstream.url);
    const { got, client } = await talk(url, ['', head]);
    expect(await got('\r\n\r\nno')).toMatch(/^HTTP\/1\.1 401 [^]*connection: close/i);
    expect(await eventually(() => client.destroyed, Boolean)).toBe(true);
    expect(sockets).toHaveLength(1);
  });

  it('is asked by the proxy when the upstream says nothing, so that nobody waits for ever', async () => {
    const upstream = await rig.tcpServer((socket) =>
      socket.on('data', (chunk) => {
        if (chunk.toString().endsWith('body')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      }),
    );
    const { url } = await before(upstream.url);
    const { got } = await talk(url, ['', head], ['100 Continue\r\n\r\n', 'body']);
    expect(await got('\r\n\r\nok')).toMatch(/^HTTP\/1\.1 100 [^]*HTTP\/1\.1 200 /);
  });

  it('is asked by the proxy at once where the plan says so, and the upstream is asked nothing', async () => {
    let expectation: string | undefined = 'not seen';
    const legacy = await rig.server((request, response) => {
      expectation = request.headers.expect;
      request.resume().on('end', () => response.end('ok'));
    });
    const { url } = await before(legacy.url, { expectContinue: 'proxy' });
    const { got } = await talk(url, ['', head], ['100 Continue\r\n\r\n', 'body']);
    expect(await got('ok')).toContain('HTTP/1.1 200');
    expect(expectation).toBeUndefined();
  });

  it('is refused before its body by the proxy, too', async () => {
    const legacy = await rig.server((_request, response) => response.end());
    const { url } = await before(legacy.url, { paths: { ambiguous: 'refuse' } });
    const { got } = await talk(url, ['', head.replace('POST /', 'POST /a//b')]);
    expect(await got('PROXY_PATH_AMBIGUOUS')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('parts and wholes', () => {
  const text = 'abcdefghij';
  const ranged = () =>
    rig.server((request, response) => {
      if (request.headers['if-none-match'] === '"1"') return response.writeHead(304, { etag: '"1"' }).end();
      if (request.url === '/empty') return response.writeHead(204).end();
      const range = request.headers['if-range'] === '"0"' ? undefined : request.headers.range;
      if (range === 'bytes=0-1,4-5') {
        response.writeHead(206, { 'content-type': 'multipart/byteranges; boundary=b' });
        return response.end('--b\r\n\r\nab\r\n--b\r\n\r\nef\r\n--b--\r\n');
      }
      if (range) {
        response.writeHead(206, { 'content-range': 'bytes 2-4/10', 'content-length': '3' });
        return response.end(text.slice(2, 5));
      }
      response.writeHead(200, { 'content-length': '10', etag: '"1"' });
      response.end(request.method === 'HEAD' ? undefined : text);
    });
  const ask = async (url: string, headers: Record<string, string>, method = 'GET') => {
    const request = httpRequest(url, { headers, method }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: String(await bodyOf(response)) };
  };

  it.each([
    ['HEAD keeps the length of what GET would give', {}, 'HEAD', '/', 200, '', '10'],
    ['a range', { range: 'bytes=2-4' }, 'GET', '/', 206, 'cde', '3'],
    [
      'a range of something else by now',
      { range: 'bytes=2-4', 'if-range': '"0"' },
      'GET',
      '/',
      200,
      text,
      '10',
    ],
    ['nothing new', { 'if-none-match': '"1"' }, 'GET', '/', 304, '', undefined],
    ['nothing at all', {}, 'GET', '/empty', 204, '', undefined],
  ] as const)('pass as they are: %s', async (_what, headers, method, path, status, body, length) => {
    const { url } = await before((await ranged()).url);
    const answer = await ask(`${url}${path}`, headers, method);
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([status, body, length]);
  });

  it('pass as they are: several ranges', async () => {
    const { url } = await before((await ranged()).url);
    const answer = await ask(url, { range: 'bytes=0-1,4-5' });
    expect(answer.headers['content-type']).toBe('multipart/byteranges; boundary=b');
    expect(answer.body).toContain('\r\n\r\nef\r\n--b--');
  });
});
