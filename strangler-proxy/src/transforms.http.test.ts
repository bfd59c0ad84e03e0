import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bodyOf, createRig, eventually, type MigrationSetup } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

type Asked = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
/** A service that answers with these, and remembers what it was asked. */
async function service(answer: string | Buffer, headers: OutgoingHttpHeaders = {}, status = 200) {
  const asked: Asked[] = [];
  const started = await rig.server((request, response) => {
    const answerWhole = async () => {
      const body = await bodyOf(request);
      const { method = '', url = '', headers: sent } = request;
      asked.push({ method, url, headers: sent, body: String(body) });
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(method === 'HEAD' ? undefined : answer);
    };
    void answerWhole();
  });
  return { ...started, asked };
}
const before = (of: string, transform: Record<string, unknown>, rest: Partial<MigrationSetup> = {}) =>
  rig.migration({
    legacy: of,
    service: of,
    phase: 'extracted',
    routes: [{ match: 'GET,POST /items/:id', transform }],
    ...rest,
  });
async function ask(url: string, headers: Record<string, string> = {}, method = 'GET', body?: string) {
  const request = httpRequest(url, { headers, method }).end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: String(await bodyOf(response)) };
}
const PRICE = '{"id":5,"amount":12.90,"internal":true}';
const JSON_EDITS = { json: { rename: { '/amount': 'price' }, drop: ['/internal'] } };

describe('a transform of requests', () => {
  it('asks the service for another path, query and headers than the client asked for', async () => {
    const { url, asked } = await service('{}');
    const proxy = await before(url, {
      path: '/v2/things/:id',
      query: { remove: ['utm'], add: { full: '1' } },
      request: {
        headers: {
          set: { 'x-item': ':id', host: 'catalog.internal' },
          remove: ['x-old'],
          rename: { 'x-a': 'x-b' },
        },
      },
    });
    await ask(`${proxy.url}/items/a%20b?utm=1`, { 'x-old': '1', 'x-a': '2', 'x-item': 'forged' });
    expect(asked[0]?.url).toBe('/v2/things/a%20b?full=1');
    expect(asked[0]?.headers).toMatchObject({ 'x-item': 'a%20b', 'x-b': '2', host: 'catalog.internal' });
    expect(asked[0]?.headers).not.toHaveProperty('x-old');
  });

  it('edits JSON, and nothing but JSON; the length is that of what is sent', async () => {
    const { url, asked } = await service('{}');
    const proxy = await before(url, { request: JSON_EDITS });
    const at = `${proxy.url}/items/5`;
    await ask(at, { 'content-type': 'application/json' }, 'POST', PRICE);
    await ask(
      at,
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      'POST',
      gzipSync(PRICE) as never,
    );
    await ask(at, { 'content-type': 'text/plain' }, 'POST', PRICE);
    expect(asked.map(({ body }) => body)).toEqual([
      '{"id":5,"price":12.90}',
      '{"id":5,"price":12.90}',
      PRICE,
    ]);
    expect(asked.map(({ headers }) => headers['content-length'])).toEqual(['22', '22', '39']);
    expect(asked[1]?.headers['content-encoding']).toBeUndefined();
  });

  it('refuses JSON that is too large, broken or encoded unknown, and asks nobody', async () => {
    const { url, asked } = await service('{}');
    const proxy = await before(url, { request: JSON_EDITS, maxBodyBytes: 50 });
    const post = (body: string, headers = {}) =>
      ask(`${proxy.url}/items/5`, { 'content-type': 'application/json', ...headers }, 'POST', body);
    expect([
      await post(`"${'x'.repeat(300_000)}"`),
      await post('{"a":'),
      await post('{}', { 'content-encoding': 'x-unknown' }),
    ]).toMatchObject([
      { status: 413, body: expect.stringContaining('"PROXY_BODY_TOO_LARGE"') },
      { status: 400, body: expect.stringContaining('"PROXY_BODY_NOT_JSON"') },
      { status: 415, body: expect.stringContaining('"PROXY_ENCODING_UNKNOWN"') },
    ]);
    expect(asked).toEqual([]);
    expect((await proxy.evidence()).migrations['catalog']?.serviceFailures).toBe(0);
  });

  it('touches nothing that goes to legacy', async () => {
    const { url, asked } = await service('{"amount":1}', { etag: '"1"' });
    const proxy = await before(
      url,
      { path: '/v2', request: JSON_EDITS, response: JSON_EDITS },
      { phase: 'syncing' },
    );
    const answer = await ask(`${proxy.url}/items/5`, { 'content-type': 'application/json' }, 'POST', PRICE);
    expect([asked[0]?.url, asked[0]?.body]).toEqual(['/items/5', PRICE]);
    expect(answer).toMatchObject({ body: '{"amount":1}', headers: { etag: '"1"' } });
  });
});

describe('a transform of answers', () => {
  it.each(['as it is', 'packed'])(
    'edits JSON that comes %s, and tells its own length and a weak tag',
    async (how) => {
      const isPacked = how === 'packed';
      const { url, asked } = await service(isPacked ? gzipSync(PRICE) : PRICE, {
        etag: '"1"',
        'accept-ranges': 'bytes',
        digest: 'x',
        'x-old': '1',
        ...(isPacked && { 'content-encoding': 'gzip' }),
      });
      const proxy = await before(url, {
        response: { ...JSON_EDITS, headers: { set: { 'x-item': ':id' }, rename: { 'x-old': 'x-new' } } },
      });
      const answer = await ask(`${proxy.url}/items/5`, { 'accept-encoding': 'gzip', range: 'bytes=0-3' });
      expect(answer.body).toBe('{"id":5,"price":12.90}');
      expect(answer.headers).toMatchObject({
        etag: 'W/"1"',
        'content-length': '22',
        'x-new': '1',
        'x-item': '5',
      });
      for (const name of ['content-encoding', 'accept-ranges', 'digest', 'x-old'])
        expect(answer.headers).not.toHaveProperty(name);
      expect(asked[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
      expect(asked[0]?.headers).not.toHaveProperty('range');
    },
  );

  it.each([
    ['of another type', { 'content-type': 'text/plain' }, 200, 'GET'],
    ['of a failure', {}, 404, 'GET'],
    ['that is none, to HEAD', {}, 200, 'HEAD'],
  ])('leaves a body %s alone', async (_what, headers, status, method) => {
    const { url } = await service(PRICE, headers, status);
    const proxy = await before(url, { response: JSON_EDITS });
    const answer = await ask(`${proxy.url}/items/5`, {}, method);
    expect([answer.status, answer.body]).toEqual([status, method === 'HEAD' ? '' : PRICE]);
  });

  it.each([
    ['too large', `"${'x'.repeat(200_000)}"`, {}],
    ['no JSON', '{"a":', {}],
    ['encoded unknown', PRICE, { 'content-encoding': 'x-unknown' }],
    ['packed and broken', gzipSync(PRICE).subarray(0, 20), { 'content-encoding': 'gzip' }],
  ])('gives a whole error for an answer that is %s', async (_what, body, headers) => {
    const { url } = await service(body, headers);
    const proxy = await before(url, { response: JSON_EDITS, maxBodyBytes: 1_000 });
    const answer = await ask(`${proxy.url}/items/5`);
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('"PROXY_TRANSFORM_FAILED"') });
  });

  it('that fails lets legacy answer a client in canary', async () => {
    const { url } = await service('{"a":');
    const legacy = await service('{"of":"legacy"}');
    const proxy = await before(
      url,
      { response: JSON_EDITS },
      { legacy: legacy.url, phase: 'canary', share: 100 },
    );
    const answer = await ask(`${proxy.url}/items/5`);
    expect(answer).toMatchObject({ status: 200, body: '{"of":"legacy"}' });
  });

  it('is what shadows are compared by', async () => {
    const legacy = await service('{"id":5,"price":12.90}');
    const { url, asked } = await service(PRICE);
    const proxy = await before(
      url,
      { path: '/v2/:id', response: JSON_EDITS },
      { legacy: legacy.url, phase: 'shadow' },
    );
    await ask(`${proxy.url}/items/5`);
    const { comparisons } = await eventually(
      async () =>
        (await proxy.evidence()).migrations['catalog']?.routes[0] as never as {
          comparisons: Record<string, number>;
        },
      (route) => Object.values(route.comparisons).some((count) => count > 0),
    );
    expect(comparisons).toMatchObject({ match: 1, mismatch: 0 });
    expect(asked.map(({ url: target }) => target)).toEqual(['/v2/5']);
  });
});

describe('rewriting', () => {
  const html = (origin: string) => `<a href="${origin}/x">é</a><a href="${origin}.evil.test/">`;
  const rewriting = async (
    rewrite: Record<string, unknown>,
    headers: OutgoingHttpHeaders,
    of = '',
    packed = false,
  ) => {
    const upstream: { url: string } = { url: '' };
    const started = await rig.server((_request, response) => {
      const filled = JSON.parse(
        JSON.stringify(headers).replaceAll('SELF', upstream.url),
      ) as OutgoingHttpHeaders;
      response.writeHead(200, { ...filled, ...(packed && { 'content-encoding': 'gzip' }) });
      const body = of.replaceAll('SELF', upstream.url);
      response.end(packed ? gzipSync(body) : body);
    });
    upstream.url = started.url;
    const proxy = await rig.migration({
      legacy: started.url,
      service: started.url,
      phase: 'extracted',
      routes: ['GET /items/:id'],
      serviceOptions: { rewrite },
    });
    return { proxy, upstream: started.url };
  };

  it('makes the service’s own address the one the client used', async () => {
    const { proxy, upstream } = await rewriting(
      { origins: ['http://catalog.internal'] },
      {
        location: 'SELF/a?b=SELF/c',
        'content-location': 'http://catalog.internal/a',
        refresh: '5; url=SELF/a',
        link: '<SELF/a>; rel="next", <http://other.test/b>',
        'x-other': 'SELF/a',
      },
    );
    const answer = await ask(`${proxy.url}/items/5`, { host: 'shop.example', 'x-forwarded-proto': 'https' });
    expect(answer.headers).toMatchObject({
      location: 'https://shop.example/a?b=https://shop.example/c',
      'content-location': 'https://shop.example/a',
      refresh: '5; url=https://shop.example/a',
      link: '<https://shop.example/a>; rel="next", <http://other.test/b>',
      'x-other': `${upstream}/a`,
    });
    const elsewhere = await ask(`${proxy.url}/other`, { host: 'shop.example' });
    expect(elsewhere.headers.location).toBe(`${upstream}/a?b=${upstream}/c`);
  });

  it('never writes into an answer what is no host', async () => {
    const { proxy, upstream } = await rewriting(
      { links: ['text/html'] },
      { location: 'SELF/a', 'content-type': 'text/html' },
      'SELF',
    );
    const answer = await ask(`${proxy.url}/items/5`, { host: "a'(b)" });
    expect([answer.headers.location, answer.body]).toEqual([`${upstream}/a`, upstream]);
  });

  it('fits cookies to the client’s address, and leaves those alone that browsers bind', async () => {
    const { proxy } = await rewriting(
      { cookies: { domain: false, path: { '/catalog': '/', '/catalog/api': '/shop' }, secure: 'as-client' } },
      {
        'set-cookie': [
          'a=b=c; Path=/catalog/x; Domain=catalog.internal; Secure; HttpOnly',
          'd=e; path=/catalog/api; SameSite=Lax',
          'f=g; Path=/catalogue',
          '__Host-h=i; Path=/; Secure',
        ],
      },
    );
    const http = await ask(`${proxy.url}/items/5`);
    expect(http.headers['set-cookie']).toEqual([
      'a=b=c; Path=/x; HttpOnly',
      'd=e; Path=/shop; SameSite=Lax',
      'f=g; Path=/catalogue',
      '__Host-h=i; Path=/; Secure',
    ]);
    const https = await ask(`${proxy.url}/items/5`, { 'x-forwarded-proto': 'https' });
    expect(https.headers['set-cookie']?.[0]).toBe('a=b=c; Path=/x; HttpOnly; Secure');
  });

  it.each(['as it is', 'packed'])('replaces links in a body that comes %s', async (how) => {
    const { proxy, upstream } = await rewriting(
      { links: ['text/html'] },
      { 'content-type': 'text/html; charset=utf-8', etag: '"1"' },
      html('SELF'),
      how === 'packed',
    );
    const answer = await ask(`${proxy.url}/items/5`, { host: 'shop.example' });
    expect(answer.body).toBe(`<a href="http://shop.example/x">é</a><a href="${upstream}.evil.test/">`);
    expect(answer.headers.etag).toBe('W/"1"');
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  it('replaces no links in bodies the plan does not name', async () => {
    const { proxy, upstream } = await rewriting(
      { links: ['text/css'] },
      { 'content-type': 'text/html' },
      'SELF/x',
    );
    expect((await ask(`${proxy.url}/items/5`)).body).toBe(`${upstream}/x`);
  });

  it('lets a large body flow, with the back-pressure of the client', async () => {
    const MIB = 1_048_576;
    let sent = 0;
    let wasPaused = false;
    const started = await rig.server((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      const write = (): void => {
        let flowing = true;
        while (flowing && sent < 128 * MIB) {
          sent += 65_536;
          flowing = response.write(Buffer.alloc(65_536, 'http://catalog '));
        }
        if (sent >= 128 * MIB) return void response.end();
        wasPaused = true;
        response.once('drain', write);
      };
      write();
    });
    const proxy = await rig.migration({
      legacy: started.url,
      service: started.url,
      phase: 'extracted',
      routes: ['GET /items/:id'],
      serviceOptions: { rewrite: { origins: ['http://catalog'], links: ['text/html'] } },
    });
    const request = httpRequest(`${proxy.url}/items/5`).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    const stalled = await eventually(
      async () => {
        const seen = sent;
        await new Promise((done) => setTimeout(done, 300));
        return [seen, sent] as const;
      },
      ([seen, now]) => seen === now,
    );
    expect(stalled[1]).toBeLessThan(64 * MIB);
    expect(wasPaused).toBe(true);
    request.destroy();
  });
});
