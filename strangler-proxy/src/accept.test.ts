import { StranglerError } from '@strangler/contracts';
import { describe, expect, it } from '@jest/globals';
import { accept, type Accepted } from './accept.js';
import { ENTRANCE_HEADERS } from './entrance.js';
import { headerObject, HOP_BY_HOP } from './headers.js';

const take = (rawHeaders: string[], more: Partial<Parameters<typeof accept>[0]> = {}) =>
  accept({
    method: 'GET',
    url: '/a?b',
    rawHeaders,
    remoteAddress: '::ffff:192.0.2.7',
    encrypted: false,
    ...more,
  });
const taken = (...args: Parameters<typeof take>): Accepted => {
  const accepted = take(...args);
  if (accepted instanceof StranglerError) throw accepted;
  return accepted;
};

/** Raw headers as they stand in a request, one a line. */
const lines = ({ raw: [text = ''] }: TemplateStringsArray): string[] =>
  text
    .split('\n')
    .flatMap((line) => [line.trim().split(': ')[0] ?? '', line.trim().split(': ').slice(1).join(': ')]);

describe('accepting a request', () => {
  it('keeps end-to-end headers in their order, case and number', () => {
    const { headers } = taken(['Host', 'shop.test', 'X-One', '1', 'x-two', 'a', 'X-Two', 'b']);
    expect(headers.slice(0, 8)).toEqual(['Host', 'shop.test', 'X-One', '1', 'x-two', 'a', 'X-Two', 'b']);
  });

  it('drops what belongs to one connection, named or known, but never length and host', () => {
    const { headers } = taken(
      lines`Host: shop.test
            Connection: close, X-Secret, Host, Content-Length
            X-Secret: 1
            Keep-Alive: 5
            TE: gzip
            Trailer: x
            Upgrade: h2c
            HTTP2-Settings: AA
            Proxy-Authorization: z
            Proxy-Connection: close
            Expect: 100-continue
            Content-Length: 3`,
    );
    expect(Object.keys(headerObject(headers))).toEqual([
      'host',
      'content-length',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
    ]);
  });

  it('knows the names it does something about in whatever case', () => {
    const names = [...HOP_BY_HOP, ...ENTRANCE_HEADERS, 'expect', 'x-strangler-tester'].filter(
      (name) => name !== 'connection' && name !== 'transfer-encoding',
    );
    const odd = (name: string) =>
      name.replaceAll(/.(.?)/g, (pair) => pair.charAt(0).toUpperCase() + pair.slice(1));
    const said = names.flatMap((name) =>
      [name, name.toUpperCase(), odd(name)].flatMap((each) => [each, 'said']),
    );
    const { headers } = taken([
      'hOST',
      'shop.test',
      ...said,
      'COOKIE',
      'a=1; strangler_id=x',
      'Accept',
      '*/*',
    ]);
    const kept = headerObject(headers);
    // The caller's trace goes on where the proxy keeps none.
    const own = ['traceparent', 'tracestate', 'via', 'x-forwarded-port', 'x-forwarded-prefix', 'x-real-ip'];
    for (const name of names.filter((each) => !own.includes(each)))
      expect(kept[name] ?? '').not.toContain('said');
    expect(kept).toMatchObject({ host: 'shop.test', cookie: 'a=1', accept: '*/*' });
  });

  it('writes the forwarded headers itself and believes nothing of what a stranger says of them', () => {
    const { headers, isSecure } = taken(
      lines`Host: shop.test
            X-Forwarded-For: 6.6.6.6
            X-Forwarded-Host: evil.test
            Forwarded: for=6.6.6.6
            X-Forwarded-Proto: https`,
    );
    expect(headerObject(headers)).toEqual({
      host: 'shop.test',
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.test',
      'x-request-id': expect.stringMatching(/^[\da-f]{32}$/),
    });
    expect(isSecure).toBe(false);
  });

  it('takes "http" for any other claimed protocol', () => {
    const { headers } = taken(['Host', 'a', 'X-Forwarded-Proto', 'javascript']);
    expect(headerObject(headers)['x-forwarded-proto']).toBe('http');
  });

  it('keeps its own cookie and headers to itself and other cookies as they came', () => {
    const { headers, cookies } = taken(
      lines`Host: a
            Cookie: sid=1;  b="x y"; strangler_id=me.sig; strangler_idx=2
            X-Strangler-Shadow: 1`,
    );
    expect(headerObject(headers)['cookie']).toBe('sid=1;  b="x y"; strangler_idx=2');
    expect(headerObject(headers)['x-strangler-shadow']).toBeUndefined();
    expect(cookies).toContain('strangler_id=me.sig');
  });

  it('sends no empty cookie header when the only cookie was its own', () => {
    const { headers } = taken(['Host', 'a', 'Cookie', 'strangler_id=me.sig']);
    expect(headerObject(headers)['cookie']).toBeUndefined();
  });

  it.each([
    ['http://shop.test/p?q=1', '/p?q=1', 'shop.test'],
    ['http://shop.test', '/', 'shop.test'],
    ['http://shop.test?q=1', '/?q=1', 'shop.test'],
    ['HTTPS://shop.test:8443/a/../b', '/a/../b', 'shop.test:8443'],
  ])('reads the absolute target "%s" as path and host, byte for byte', (url, target, host) => {
    const accepted = taken(['Host', 'other.test'], { url });
    expect([accepted.target, headerObject(accepted.headers)['host']]).toEqual([target, host]);
  });

  it.each([
    ['two hosts', ['Host', 'a', 'host', 'b'], '/'],
    ['the whole server as its target', ['Host', 'a'], '*'],
    ['a user in its target', ['Host', 'a'], 'http://a@b/'],
    ['another scheme', ['Host', 'a'], 'ftp://a/'],
  ])('refuses one with %s', (_what, rawHeaders, url) => {
    expect(take(rawHeaders, { url })).toMatchObject({ code: 'PROXY_REQUEST_REFUSED', status: 400 });
  });

  it.each([
    [['Content-Length', '1'], true],
    [['Content-Length', '0'], false],
    [['Transfer-Encoding', 'chunked'], true],
    [[], false],
  ])('knows by %j whether there is a body', (headers, hasBody) => {
    expect(taken(['Host', 'a', ...headers]).hasBody).toBe(hasBody);
  });
});
