import { afterEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { bodyOf, createRig, eventually, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

// Every byte there is, in more than one order: a text in a wrong encoding could not carry them.
const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 7 + 3) % 256));

const migrationOver = async (listener: Parameters<typeof rig.server>[0], share: number) => {
  const { url } = await rig.server(listener);
  return rig.migration({ legacy: url, service: url, phase: 'canary', share });
};

describe('a small answer that comes whole', () => {
  it.each([
    ['from legacy', '/other', 0],
    ['from the service, held back', '/items/1', 100],
  ])('%s keeps every byte, at every size around the limit', async (_, path, share) => {
    let length = 0;
    const proxy = await migrationOver(
      (_request, response) => response.setHeader('content-length', length).end(bytes(length)),
      share,
    );
    for (length of [0, 1, 256, 12_287, 12_288, 12_289, 65_535, 65_536, 200_000]) {
      const answer = await proxy.get(path);
      expect(answer.headers.get('content-length')).toBe(String(length));
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes(length))).toBe(true);
    }
  });

  it('leaves the connection ready for the next request, HEAD and 204 too', async () => {
    const proxy = await migrationOver((asked, response) => {
      if (asked.url === '/none') return response.writeHead(204).end();
      return response.setHeader('content-length', 2).end('ok');
    }, 0);
    const answer = await rawExchange(
      proxy.url,
      ['GET /a', 'HEAD /b', 'GET /none', 'GET /c']
        .map((line) => `${line} HTTP/1.1\r\nHost: shop.test\r\n\r\n`)
        .join(''),
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 204',
      'HTTP/1.1 200',
    ]);
    expect(answer.match(/\r\n\r\nok/g)).toHaveLength(2);
  });
});

describe('an upload', () => {
  const seen: { length: string | undefined; coding: string | undefined; body: Buffer }[] = [];
  const listener = async (asked: Parameters<typeof bodyOf>[0]) => {
    const { 'content-length': length, 'transfer-encoding': coding } = asked.headers;
    seen.push({ length, coding, body: await bodyOf(asked) });
  };
  const proxyOver = () =>
    migrationOver((asked, response) => void listener(asked).then(() => response.end('taken')), 0);

  it('that comes along with its head keeps every byte and its length', async () => {
    const { url } = await proxyOver();
    const head = 'POST /upload HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1024\r\n\r\n';
    const answer = await rawExchange(url, head + bytes(1_024).toString('latin1'));
    expect(answer).toContain('HTTP/1.1 200');
    expect(seen.at(-1)).toEqual({ length: '1024', coding: undefined, body: bytes(1_024) });
  });

  it('without a declared length keeps every byte', async () => {
    const { url } = await proxyOver();
    const answer = await rawExchange(
      url,
      'POST /upload HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    expect(answer).toContain('HTTP/1.1 200');
    expect(seen.at(-1)?.body).toEqual(Buffer.from('abc'));
  });

  it('of which only the beginning has come goes on at once', async () => {
    let begun = false;
    const { url } = await migrationOver((asked, response) => {
      asked.once('data', () => (begun = true));
      asked.once('end', () => response.end('taken'));
    }, 0);
    const { hostname, port } = new URL(url);
    const upload = request({ hostname, port, method: 'POST', path: '/', headers: { 'content-length': 6 } });
    const status = new Promise((done) =>
      upload.once('response', (answer) => done(answer.resume().statusCode)),
    );
    upload.write('abc');
    await eventually(
      () => begun,
      (is) => is,
    );
    upload.end('def');
    expect(await status).toBe(200);
  });
});
