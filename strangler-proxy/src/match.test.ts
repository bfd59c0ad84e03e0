import { describe, expect, it } from '@jest/globals';
import { compileRoutes, match, type RouteTable } from './match.js';
import { planOf } from './proxy.fixture.js';

const tableOf = (...routes: string[]): RouteTable =>
  compileRoutes(planOf({ at: '/nowhere', legacy: 'http://a:1', service: 'http://b:1', routes }));

describe('matching a request to a route', () => {
  const table = tableOf(
    'GET /',
    'GET /items',
    'GET /items/new',
    'GET /items/:id',
    'POST,PUT /items/:id',
    'GET /items/:id/tags',
    'GET /items/new/:part',
    'GET /items/*',
    '* /any/*',
    'DELETE /any/:id',
  );

  it.each([
    ['GET', '/', 'GET /'],
    ['GET', '/items', 'GET /items'],
    ['HEAD', '/items', 'GET /items'],
    ['GET', '/items/new', 'GET /items/new'],
    ['GET', '/items/7', 'GET /items/:id'],
    ['PUT', '/items/new', 'POST,PUT /items/:id'],
    ['GET', '/items/7/tags', 'GET /items/:id/tags'],
    ['GET', '/items/new/tags', 'GET /items/new/:part'],
    ['GET', '/items/7/other', 'GET /items/*'],
    ['GET', '/items/7/tags/8', 'GET /items/*'],
    ['OPTIONS', '/any/7/8', '* /any/*'],
    ['DELETE', '/any/7', 'DELETE /any/:id'],
    ['GET', '/any/7', '* /any/*'],
    ['GET', '/items/caf%C3%A9', 'GET /items/:id'],
  ])('%s %s is "%s"', (method, path, route) => {
    expect(match(table, method, path).route?.text).toBe(route);
  });

  it.each([
    ['DELETE', '/items'],
    ['GET', '/Items'],
    ['GET', '/items/'],
    ['GET', '/itemsx'],
    ['GET', '/any'],
    ['GET', '/any/'],
    ['POST', '/items/7/tags'],
  ])('%s %s is nobody’s', (method, path) => {
    expect(match(table, method, path).route).toBeUndefined();
  });

  it('never finds a route for an ambiguous path', () => {
    expect(match(table, 'GET', null).route).toBeUndefined();
  });

  it('leaves a static branch again when it leads nowhere', () => {
    const branches = tableOf('GET /a/b/c', 'GET /:x/b/d', 'GET /a/:y/e', 'GET /*');
    expect(match(branches, 'GET', '/a/b/d').route?.text).toBe('GET /:x/b/d');
    expect(match(branches, 'GET', '/a/b/e').route?.text).toBe('GET /a/:y/e');
    expect(match(branches, 'GET', '/a/b/f').route?.text).toBe('GET /*');
  });

  it('looks at as many nodes among ten thousand routes as among ten', () => {
    const routes = (count: number) =>
      Array.from({ length: count }, (_, index) => `GET /api/v${index}/items/:id/tags/:tag`);
    const few = match(tableOf(...routes(10)), 'GET', '/api/v5/items/7/tags/8');
    const many = match(tableOf(...routes(10_000)), 'GET', '/api/v5/items/7/tags/8');
    expect(many.route?.text).toBe('GET /api/v5/items/:id/tags/:tag');
    expect(many.visited).toBe(few.visited);
    expect(many.visited).toBe(7);
  });
});
