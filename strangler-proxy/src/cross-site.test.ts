import { describe, expect, it } from '@jest/globals';
import { crossSiteReason, isSafe } from './cross-site.js';

const verdictOn = (
  headers: Record<string, string>,
  { isSecure = true, isTokenChecked = false, origins = [] as string[] } = {},
) =>
  crossSiteReason(
    { headers: ['Host', 'shop.test', ...Object.entries(headers).flat()], isSecure },
    { origins },
    isTokenChecked,
  );

describe('an unsafe request', () => {
  it('is one that may change something', () => {
    expect(['GET', 'HEAD', 'OPTIONS', 'TRACE'].every(isSafe)).toBe(true);
    expect(['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'PROPFIND'].some(isSafe)).toBe(false);
  });

  it.each([
    ['the browser says it is of the same origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['the user typed or bookmarked it', { 'Sec-Fetch-Site': 'none' }],
    [
      'the browser says so, whatever the origin is spelled like',
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
    ],
    ['an old browser names this origin', { Origin: 'https://shop.test' }],
    ['one that names no origin came from a page of this host', { Referer: 'https://shop.test/cart?x=1' }],
  ])('is taken when %s', (_what, headers) => {
    expect(verdictOn(headers)).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['another site has sent it', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }],
    ['a site beside it has sent it', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.shop.test' }],
    ['it names no site, and another origin', { Origin: 'https://evil.test' }],
    ['its origin is opaque', { Origin: 'null' }],
    ['its origin only begins like this one', { Origin: 'https://shop.test.evil.test' }],
    ['its origin has another port', { Origin: 'https://shop.test:8443' }],
    ['it came by https from a page that did not', { Origin: 'http://shop.test' }],
    ['a page of another site was before it', { Referer: 'https://evil.test/?https://shop.test/' }],
    ['nothing says where it comes from', {}],
    ['the browser says something unknown', { 'Sec-Fetch-Site': 'SAME-ORIGIN' }],
  ])('is refused when %s', (_what, headers) => {
    expect(verdictOn(headers)).toEqual(expect.any(String));
  });

  it('that names two origins is refused, as nobody knows which one counts', () => {
    const headers = ['Host', 'shop.test', 'Origin', 'https://shop.test', 'Origin', 'https://evil.test'];
    expect(crossSiteReason({ headers, isSecure: true }, { origins: [] }, true)).toBe('it names two origins');
  });

  it('may come from an origin of the plan', () => {
    const origins = ['https://app.test'];
    expect(
      verdictOn({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://app.test' }, { origins }),
    ).toBeUndefined();
    expect(verdictOn({ Referer: 'https://app.test/x' }, { origins })).toBeUndefined();
    expect(verdictOn({ Origin: 'http://app.test' }, { origins })).toBeDefined();
  });

  it('without any word of where it comes from is left to the token, where one is compared', () => {
    expect(verdictOn({}, { isTokenChecked: true })).toBeUndefined();
    expect(verdictOn({ Origin: 'https://evil.test' }, { isTokenChecked: true })).toBeDefined();
  });

  it('may name http where nothing says that it came by https', () => {
    expect(verdictOn({ Origin: 'http://shop.test' }, { isSecure: false })).toBeUndefined();
    expect(verdictOn({ Origin: 'https://shop.test' }, { isSecure: false })).toBeUndefined();
  });
});
