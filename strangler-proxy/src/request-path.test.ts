import { describe, expect, it } from '@jest/globals';
import { unambiguousPath } from './request-path.js';

describe('the path routes are matched on', () => {
  it.each([
    ['/', '/'],
    ['/items/1?x=%2f..//', '/items/1'],
    ['/a%20b/c', '/a%20b/c'],
    ['/caf%C3%A9', '/caf%C3%A9'],
    ['/a+b/@x/$y/:z', '/a+b/@x/$y/:z'],
    ['/items/...', '/items/...'],
    ['/items/.hidden', '/items/.hidden'],
  ])('of "%s" is "%s"', (target, path) => {
    expect(unambiguousPath(target)).toBe(path);
  });

  it.each([
    ['an encoded slash', '/items%2f1'],
    ['an encoded backslash', '/items%5C1'],
    ['a backslash', '/items\\1'],
    ['a doubled slash', '/items//1'],
    ['a doubled slash at the start', '//evil.test/items'],
    ['a path parameter', '/items;v=1/1'],
    ['an encoded path parameter', '/items%3Bv=1'],
    ['a dot segment', '/items/../admin'],
    ['a last dot segment', '/items/.'],
    ['an encoded dot segment', '/items/%2e%2E/admin'],
    ['half an encoded dot segment', '/items/.%2e/admin'],
    ['a null byte', '/items/%00'],
    ['another control character', '/items/%0d%0aX'],
    ['an encoded letter', '/%69tems/1'],
    ['an encoded digit', '/items/%31'],
    ['an encoded hyphen', '/items/a%2Db'],
    ['a double encoding', '/items/%252e%252e'],
    ['a percent sign that encodes nothing', '/items/%zz'],
    ['a percent sign at the end', '/items/%'],
    ['bytes that are no UTF-8', '/items/%ff'],
    ['an overlong encoding', '/items/%c0%af'],
    ['a raw byte above ASCII', '/items/\u00e9'],
    ['a fragment', '/items/1#x'],
    ['an encoded question mark', '/items%3fx'],
  ])('is nothing when it has %s', (_what, target) => {
    expect(unambiguousPath(target)).toBeNull();
  });
});
