import { describe, expect, it } from '@jest/globals';
import { parseRoutePattern, transformSchema } from '@strangler/contracts';
import { editTarget, paramsOf } from './edit-target.js';

const asked = (pattern: string, transform: Record<string, unknown>, target: string) => {
  const rules = transformSchema.parse(transform);
  return editTarget(target, rules, paramsOf(parseRoutePattern(pattern).segments, target));
};

describe('the target a service is asked for', () => {
  it.each([
    ['GET /items/:id', '/v2/things/:id', '/items/5?a=1', '/v2/things/5?a=1'],
    ['GET /items/*', '/v2/*', '/items/a/b%20c/', '/v2/a/b%20c/'],
    ['GET /:shop/items/:id', '/items/:id.:shop', '/de/items/5', '/items/5.de'],
    ['GET /items/:id', '/v2/:id', '/items/%e2%82%ac&x=:', '/v2/%E2%82%AC%26x%3D%3A'],
  ])('%s by %s', (pattern, path, target, result) => expect(asked(pattern, { path }, target)).toBe(result));

  it('has other names, other values and fewer of them in its query, and the rest byte for byte', () => {
    const query = { remove: ['utm'], rename: { q: 'search' }, add: { shop: ':id', v: '2 & 3' } };
    expect(asked('GET /:id', { query }, '/a%20b?x=%7e+&utm=1&q=a+b&%71=c&utm')).toBe(
      '/a%20b?x=%7e+&search=a+b&search=c&shop=a%20b&v=2%20%26%203',
    );
    expect(asked('GET /x', { query: { remove: ['a'] } }, '/x?a=1')).toBe('/x');
    expect(asked('GET /x', { query: { remove: ['a'] } }, '/x?')).toBe('/x?');
    expect(asked('GET /x', { query: { remove: ['a'] } }, '/x?%zz=1')).toBe('/x?%zz=1');
  });
});
