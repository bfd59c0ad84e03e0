import { describe, expect, it } from '@jest/globals';
import { compileRoutes, match } from './match.js';
import { planOf } from './proxy.fixture.js';
import type { Asked } from './request-facts.js';

const AT = { at: '/nowhere', legacy: 'http://a:1', service: 'http://b:1' };
const table = (...routes: unknown[]) => compileRoutes(planOf({ ...AT, routes }));
const asking = (headers: readonly string[] = [], more: Partial<Asked> = {}): Asked => ({
  headers,
  cookies: '',
  target: '/a',
  ...more,
});
const jwt = (claims: unknown): string =>
  `e30.${Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims)).toString('base64url')}.sig`;
const bearer = (claims: unknown) => asking(['Authorization', `Bearer ${jwt(claims)}`]);

const fulfils = (when: object, asked: Asked): boolean =>
  match(table({ match: 'GET /a', when }), 'GET', '/a', asked).route !== undefined;

describe('a condition on the host', () => {
  it.each([
    ['shop.test', 'shop.test', true],
    ['shop.test', 'SHOP.test:8443', true],
    ['shop.test', 'shop.test.', true],
    ['shop.test', 'a.shop.test', false],
    ['*.shop.test', 'a.shop.test', true],
    ['*.shop.test', 'a.b.shop.test:80', true],
    ['*.shop.test', 'shop.test', false],
    ['*.shop.test', 'xshop.test', false],
    ['*.shop.test', 'evil.test/.shop.test', false],
    ['*.shop.test', 'evil.test@a.shop.test', false],
    ['*.shop.test', '.shop.test', false],
    ['[::1]', '[::1]:8080', true],
    [['a.test', 'b.test'], 'b.test', true],
  ])('%j holds for "%s": %s', (host, given, holds) => {
    expect(fulfils({ host }, asking(['Host', given]))).toBe(holds);
  });
});

describe('a condition on a header', () => {
  it.each([
    ['a value', '1', ['X-Beta', '1'], true],
    ['another value', '1', ['X-Beta', '2'], false],
    ['a value of the list', ['1', '2'], ['x-beta', '2'], true],
    ['presence', true, ['x-beta', ''], true],
    ['absence', true, ['x-alpha', '1'], false],
    ['the same value twice', '1', ['x-beta', '1', 'X-Beta', '1'], true],
    ['two values, of which servers take different ones', '1', ['x-beta', '1', 'x-beta', '2'], false],
    ['a list in one value, which is another text', '1', ['x-beta', '1, 2'], false],
    ['a value in another case', 'on', ['x-beta', 'ON'], false],
  ])('is held against %s', (_, value, headers, holds) => {
    expect(fulfils({ header: { 'X-Beta': value } }, asking(headers))).toBe(holds);
  });
});

describe('a condition on the query', () => {
  it.each([
    ['/a?beta=1', '1', true],
    ['/a?x=2&beta=1', '1', true],
    ['/a?%62eta=%31', '1', true],
    ['/a?beta=1&beta=2', '1', false],
    ['/a?beta', true, true],
    ['/a?beta', '', true],
    ['/a?Beta=1', '1', false],
    ['/a?beta=1?', '1', false],
    ['/a?x=beta=1', true, false],
    ['/a', true, false],
  ])('%s with beta %j: %s', (target, value, holds) => {
    expect(fulfils({ query: { beta: value } }, asking([], { target }))).toBe(holds);
  });
});

describe('a condition on a cookie', () => {
  it.each([
    ['beta=1', '1', true],
    ['a=b; beta=1', '1', true],
    // RFC 6265, 5.2: quotes belong to the value.
    ['beta="1"', '1', false],
    ['beta=a%20b', 'a b', true],
    ['beta=1; beta=2', '1', false],
    ['beta=1; beta=1', '1', true],
    ['xbeta=1', true, false],
    ['beta', true, false],
    ['', true, false],
  ])('in "%s" with beta %j: %s', (cookies, value, holds) => {
    expect(fulfils({ cookie: { beta: value } }, asking([], { cookies }))).toBe(holds);
  });
});

describe('a condition on a claim', () => {
  it.each([
    ['a text', { tenant: 'acme' }, 'acme', true],
    ['another text', { tenant: 'other' }, 'acme', false],
    ['a number', { tenant: 7 }, '7', true],
    ['a boolean', { tenant: true }, 'true', true],
    ['presence', { tenant: ['acme'] }, true, true],
    ['a list, which is no value', { tenant: ['acme'] }, 'acme', false],
    ['null, which is not there', { tenant: null }, true, false],
    ['what every object inherits', { other: 1 }, true, false],
    ['a payload that is no object', '["tenant"]', true, false],
    ['a payload that is no JSON', 'tenant=acme', true, false],
  ])('is held against %s', (_, claims, value, holds) => {
    expect(fulfils({ claim: { tenant: value } }, bearer(claims))).toBe(holds);
  });

  it('never holds by inheritance', () => {
    expect(fulfils({ claim: { constructor: true } }, bearer({}))).toBe(false);
  });

  it.each([
    ['no token', []],
    ['another scheme', ['authorization', `Basic ${jwt({ tenant: 'acme' })}`]],
    [
      'two tokens',
      [
        'authorization',
        `Bearer ${jwt({ tenant: 'acme' })}`,
        'authorization',
        `Bearer ${jwt({ tenant: 'acme' })}`,
      ],
    ],
    ['an encrypted token', ['authorization', `Bearer e30.a.b.c.d`]],
    ['two parts', ['authorization', `Bearer e30.${Buffer.from('{"tenant":"acme"}').toString('base64url')}`]],
    ['something behind it', ['authorization', `Bearer ${jwt({ tenant: 'acme' })} x`]],
  ])('does not hold with %s', (_, headers) => {
    expect(fulfils({ claim: { tenant: 'acme' } }, asking(headers))).toBe(false);
  });
});

describe('among routes a request fits', () => {
  const beta = { header: { 'x-beta': '1' } };
  const of = (routes: unknown[], headers: string[], path = '/a', method = 'GET') =>
    match(table(...routes), method, path, asking(headers)).route?.text;

  it('the one with more conditions wins, and one whose conditions do not hold gives way', () => {
    const routes = [
      'GET /a',
      { match: 'GET /a', when: beta },
      { match: 'GET /a', when: { ...beta, host: 'x.test' } },
    ];
    expect(of(routes, [])).toBe('GET /a');
    expect(of(routes, ['x-beta', '1'])).toBe('GET /a when header x-beta=1');
    expect(of(routes, ['x-beta', '1', 'host', 'x.test'])).toBe('GET /a when header x-beta=1, host x.test');
  });

  it('of as many conditions the one that names values wins', () => {
    const routes = [
      { match: 'GET /a', when: { header: { 'x-beta': true } } },
      { match: 'GET /a', when: beta },
    ];
    expect(of(routes, ['x-beta', '1'])).toBe('GET /a when header x-beta=1');
    expect(of(routes, ['x-beta', '2'])).toBe('GET /a when header x-beta');
  });

  it('the more specific path wins over conditions', () => {
    const routes = [{ match: 'GET /:x', when: beta }, 'GET /a'];
    expect(of(routes, ['x-beta', '1'])).toBe('GET /a');
    expect(of(routes, ['x-beta', '1'], '/b')).toBe('GET /:x when header x-beta=1');
  });

  it('conditions win over a named method, and that over any', () => {
    const routes = [{ match: '* /a', when: beta }, 'GET /a', '* /a'];
    expect(of(routes, ['x-beta', '1'])).toBe('* /a when header x-beta=1');
    expect(of(routes, [])).toBe('GET /a');
    expect(of(routes, [], '/a', 'PUT')).toBe('* /a');
  });

  it('the lowest order wins over everything else', () => {
    const routes = ['GET /a/b', { match: 'GET /*', when: beta, order: -1 }, { match: 'GET /a/:x', order: 1 }];
    expect(of(routes, ['x-beta', '1'], '/a/b')).toBe('GET /* when header x-beta=1');
    expect(of(routes, [], '/a/b')).toBe('GET /a/b');
    expect(of(routes, [], '/a/c')).toBe('GET /a/:x');
  });

  it('a path without any whose conditions hold is nobody’s', () => {
    expect(of([{ match: 'GET /a', when: beta }], [])).toBeUndefined();
  });

  it('conditions are looked at on the routes of one path alone, of ten thousand as of ten', () => {
    const routes = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        { match: `GET /api/v${index}/items/:id/tags/:tag`, when: beta },
        { match: `GET /api/v${index}/items/:id/tags/:tag`, when: { ...beta, query: { q: true } } },
        { match: `GET /api/v${index}/*`, order: index },
      ]).flat();
    const ask = (count: number) =>
      match(table(...routes(count)), 'GET', '/api/v5/items/7/tags/8', asking(['x-beta', '1']));
    const [few, many] = [ask(10), ask(5_000)];
    expect(many.route?.text).toBe('GET /api/v5/items/:id/tags/:tag when header x-beta=1');
    expect([many.visited, many.weighed]).toEqual([few.visited, few.weighed]);
    expect([many.visited, many.weighed]).toEqual([7, 2]);
  });
});
