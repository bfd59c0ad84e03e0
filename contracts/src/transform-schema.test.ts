import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';

const planWith = (route: Record<string, unknown>, catalog: Record<string, unknown> = {}) => ({
  version: 1,
  proxy: { listen: 0, secret: 'REF' },
  control: { ledger: 'REF_LEDGER' },
  flags: { file: 'flags.json' },
  upstreams: { legacy: 'http://a:1', catalog: { url: 'http://b:1', ...catalog } },
  migrations: { catalog: { owner: 'team', upstream: 'catalog', routes: [route] } },
});
const parsed = (plan: object) =>
  parsePlan(
    JSON.stringify(plan).replace('"REF"', '!env SECRET').replace('"REF_LEDGER"', '!env LEDGER'),
    '/nowhere/plan.yaml',
    { SECRET: 'a secret of sufficient length', LEDGER: 'mysql://root@127.0.0.1:1/ledger' },
  );
const problemsOf = (route: Record<string, unknown>, catalog?: Record<string, unknown>) => {
  const loaded = parsed(planWith(route, catalog));
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path} ${message}`);
};
const AT = 'migrations.catalog.routes[0].transform';

describe('a transform of the plan', () => {
  it.each([
    ['an unknown parameter in the path', { path: '/v2/:other' }, `${AT}.path names ":other"`],
    ['a rest the route does not have', { path: '/v2/*' }, `${AT}.path ends with "*"`],
    [
      'an unknown parameter in a header',
      { request: { headers: { set: { 'x-a': ':x' } } } },
      `${AT}.request.headers.set.x-a names ":x"`,
    ],
    ['an unknown parameter in the query', { query: { add: { a: ':x' } } }, `${AT}.query.add.a names ":x"`],
    ['a path with a query', { path: '/v2?a=1' }, `${AT}.path "/v2?a=1" is not the path`],
    ['a path with dots', { path: '/v2/../:id' }, `${AT}.path "/v2/../:id" is not the path`],
    [
      'a header with a line of its own',
      { request: { headers: { set: { 'x-a': 'b\r\nc: d' } } } },
      'has characters that no header',
    ],
    [
      'a header of the framing',
      { response: { headers: { remove: ['Content-Length'] } } },
      'belongs to the connection',
    ],
    [
      'a header of the toolkit',
      { response: { headers: { set: { 'x-strangler-explain': 'x' } } } },
      'belongs to the connection',
    ],
    ['a place that is none', { response: { json: { drop: ['items'] } } }, 'is not a JSON pointer'],
    [
      'a place in what every object inherits',
      { request: { json: { constant: { '/__proto__/x': 1 } } } },
      'is not a JSON pointer',
    ],
    [
      'a move of many places',
      { response: { json: { move: { '/a/*/b': '/c' } } } },
      'names more than one place',
    ],
  ])('is a problem with %s', (_what, transform, problem) => {
    expect(problemsOf({ match: 'GET /items/:id', transform })).toEqual([expect.stringContaining(problem)]);
  });

  it('tells all its problems at once', () => {
    const transform = { path: '/v2/:other', query: { add: { a: ':x' } } };
    expect(problemsOf({ match: 'GET /items/:id', transform })).toHaveLength(2);
  });

  it('is a problem where gRPC takes its place', () => {
    const grpc = { proto: 'a.proto', service: 'a.B', method: 'C' };
    expect(problemsOf({ match: 'GET /items/:id', grpc, transform: { path: '/v2' } })).toEqual([
      expect.stringContaining(`${AT}.path has no meaning for a gRPC method`),
    ]);
  });
});

describe('rewriting in the plan', () => {
  it.each([
    ['an origin with a path', { origins: ['http://a/b'] }, 'is not an origin'],
    ['a domain with a path', { cookies: { domain: 'a/b' } }, 'is not a domain'],
    [
      'a path that would end the cookie',
      { cookies: { path: { '/a': '/b;c' } } },
      'is not the path of a cookie',
    ],
    ['a type that is none', { links: ['html'] }, 'is not a media type'],
  ])('is a problem with %s', (_what, rewrite, problem) => {
    const problems = problemsOf({ match: 'GET /items/:id' }, { rewrite });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`upstreams.catalog.*${problem}|has none of the allowed forms`));
  });
});

describe('the examples of the documentation', () => {
  const text = readFileSync(new URL('../../docs/plan.md', import.meta.url), 'utf8');
  const chapter = (name: string) => text.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
  const examples = ['Transforms', 'Rewriting', 'gRPC'].flatMap((name) =>
    [...chapter(name).matchAll(/```yaml\n([^]*?)```/g)].map((found) => [name, found[1] ?? ''] as const),
  );

  it('are there', () => expect(examples.map(([name]) => name)).toEqual(['Transforms', 'Rewriting', 'gRPC']));

  it.each(examples)('on %s are plans without a problem', (_name, example) => {
    const indented = example.replaceAll(/^(?=.)/gm, '    ');
    const upstreams = example.startsWith('upstreams:')
      ? example
      : 'upstreams:\n  legacy: http://a:1\n  catalog: http://b:1\n';
    const routes = example.startsWith('routes:') ? indented : '    routes: [GET /a]\n';
    const loaded = parsePlan(
      `version: 1\nproxy: { listen: 0, secret: !env SECRET }\ncontrol: { ledger: !env LEDGER }\nflags: { file: f.json }\n${upstreams}` +
        `migrations:\n  catalog:\n    owner: team\n    upstream: catalog\n${routes}`,
      '/nowhere/plan.yaml',
      { SECRET: 'a secret of sufficient length', LEDGER: 'mysql://root@127.0.0.1:1/ledger' },
    );
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });
});
