import { describe, expect, it } from '@jest/globals';
import { parseRoutePattern, shapeOf } from './route-pattern.js';

describe('a route pattern', () => {
  it.each([
    ['GET /', ['GET', 'HEAD'], '/'],
    ['get,post /cart/:id', ['GET', 'POST', 'HEAD'], '/cart/:'],
    ['* /files/*', ['*'], '/files/*'],
    ['POST /a/:b/c', ['POST'], '/a/:/c'],
  ])('%s covers its methods and has a shape', (text, methods, shape) => {
    const pattern = parseRoutePattern(text);
    expect(pattern.methods).toEqual(methods);
    expect(shapeOf(pattern)).toBe(shape);
  });

  it.each([
    ['/api', 'write it as'],
    ['FETCH /api', '"FETCH" is not one of'],
    ['GET /a?b=1', 'leave out the query'],
    ['GET /a%2fb', 'ambiguous'],
    ['GET /a//b', 'ambiguous'],
    ['GET /a/../b', 'ambiguous'],
    ['GET /a;v=1', 'ambiguous'],
    ['GET /*/a', 'can only come last'],
    ['GET /a/:x/:x', 'is there twice'],
    ['GET /a/:1', 'needs a name'],
    ['GET /a/b:c', 'a parameter is a whole segment'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseRoutePattern(text)).toThrow(reason);
  });
});
