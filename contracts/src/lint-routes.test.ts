import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';
import { problemLine } from './problem.js';

type Routes = Record<string, readonly unknown[]>;
const load = (migrations: Routes, more: { paths?: object; workflows?: object } = {}) =>
  parsePlan(
    JSON.stringify({
      version: 1,
      proxy: { listen: 8080, secret: '!env SECRET', ...(more.paths && { paths: more.paths }) },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      upstreams: { legacy: 'http://a:1', service: 'http://b:1' },
      migrations: Object.fromEntries(
        Object.entries(migrations).map(([name, routes]) => [
          name,
          { owner: 'team', upstream: 'service', routes },
        ]),
      ),
      ...(more.workflows && { workflows: more.workflows }),
    }).replaceAll(/"(!env \w+)"/g, '$1'),
    'plan.yaml',
    { SECRET: '0123456789abcdef', LEDGER: 'mysql://u:p@h/ledger' },
  );
const problems = (...given: Parameters<typeof load>): string => {
  const loaded = load(...given);
  return loaded.ok ? '' : loaded.problems.map(problemLine).join('\n');
};
const warnings = (...given: Parameters<typeof load>): readonly string[] => {
  const loaded = load(...given);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.warnings().map(({ code, path, message }) => `${code} ${path} ${message}`);
};
const beta = (value: unknown) => ({ header: { 'x-beta': value } });

describe('routes between which nothing decides', () => {
  it.each([
    ['the same conditions', { when: beta('1') }, { when: beta(['1']) }, 'matches the same requests as'],
    [
      'the same conditions in another order',
      { when: beta('1') },
      { when: beta('1'), order: 1 },
      'matches the same',
    ],
    ['conditions both can fulfil', { when: beta('1') }, { when: { query: { b: '1' } } }, 'is as specific as'],
    [
      'hosts one name fits both of',
      { when: { host: '*.b.c' } },
      { when: { host: '*.c' } },
      'is as specific as',
    ],
  ])('are refused: %s', (_, one, other, sentence) => {
    const found = problems({
      one: [{ match: 'GET /a/:x', ...one }],
      two: [{ match: 'GET /a/:y', ...other }],
    });
    expect(found).toContain(sentence);
    expect(found).toContain('of "one"');
    expect(found).toMatch(/^migrations\.two\.routes\[0\]/);
  });

  it.each([
    ['an order', { when: beta('1') }, { when: { query: { b: '1' } }, order: 1 }],
    ['values that exclude each other', { when: beta('1') }, { when: beta(['2', '3']) }],
    ['more conditions', { when: beta('1') }, { when: { ...beta('1'), query: { b: '1' } } }],
    ['a value against mere presence', { when: beta('1') }, { when: beta(true) }],
    ['a name against a wildcard', { when: { host: 'a.c' } }, { when: { host: '*.c' } }],
    ['none', {}, { when: beta('1') }],
  ])('are not there where %s decides', (_, one, other) => {
    expect(problems({ one: [{ match: 'GET /a', ...one }], two: [{ match: 'GET /a', ...other }] })).toBe('');
  });

  it('are found by the path rules of the plan', () => {
    const routes = { one: ['GET /a/b'], two: ['GET /A/b/'] };
    expect(problems(routes)).toBe('');
    expect(problems(routes, { paths: { case: 'insensitive' } })).toBe('');
    expect(problems(routes, { paths: { case: 'insensitive', trailingSlash: 'same' } })).toContain(
      'matches the same requests',
    );
  });

  it('keep a name of their own, by which evidence tells them apart', () => {
    const loaded = load({ one: ['GET /a', { match: 'GET /a', when: { ...beta('1'), host: 'x.c' } }] });
    expect(loaded.ok && loaded.plan.migrations['one']?.routes.map(({ match }) => match.text)).toEqual([
      'GET /a',
      'GET /a when header x-beta=1, host x.c',
    ]);
  });
});

describe('the lint of routes', () => {
  it('has nothing against routes of one migration of which the most specific goes first', () => {
    expect(
      warnings({
        one: [
          'GET /a/:id',
          'GET /a/new',
          'GET /a/*',
          '* /a/*',
          'GET /a/by/:x',
          'GET /a/:id/x',
          'POST /a/new',
        ],
      }),
    ).toEqual([]);
  });

  it.each([
    ['a pattern over a pattern', { match: 'GET /a/*', order: -1 }, 'GET /a/:id'],
    ['any method over one', { match: '* /a/:x', order: -1 }, 'GET,POST /a/:id'],
    [
      'presence over a value',
      { match: 'GET /a', when: beta(true), order: -1 },
      { match: 'GET /a', when: beta('1') },
    ],
    [
      'a domain over a host',
      { match: 'GET /a', when: { host: '*.c' }, order: -1 },
      { match: 'GET /a', when: { host: 'b.c' } },
    ],
  ])('finds a route that can never match: %s', (_, first, last) => {
    expect(warnings({ one: [last, first] })).toEqual([
      expect.stringMatching(
        /^ROUTE_UNREACHABLE migrations\.one\.routes\[0\] .*all its requests go to .* by their order$/,
      ),
    ]);
  });

  it('finds a route whose methods are taken one by one', () => {
    const taken = ['GET /a/*', 'POST /a/*'].map((match) => ({ match, order: -1 }));
    expect(warnings({ one: ['GET,POST /a/b', ...taken] })).toEqual([
      expect.stringContaining('ROUTE_UNREACHABLE'),
    ]);
    expect(warnings({ one: ['GET,PUT /a/b', ...taken] })).toEqual([]);
  });

  it('finds a route with letters no request writes', () => {
    expect(warnings({ one: ['GET /café'] })).toEqual([expect.stringContaining('every request encodes')]);
  });

  it('tells where one migration takes requests of another, once for each pair', () => {
    expect(warnings({ all: ['GET /*'], one: ['GET /a', 'GET /b'], two: ['POST /c', '* /d/:x'] })).toEqual([
      'ROUTE_OVERLAP migrations.all.routes[0] "GET /*" leaves some of its requests to "GET /a" of "one" and 1 more of "one", which is more specific',
      'ROUTE_OVERLAP migrations.all.routes[0] "GET /*" leaves some of its requests to "* /d/:x" of "two", which is more specific',
    ]);
  });

  it.each([
    ['other methods', ['GET /a/*'], ['DELETE /a/b']],
    ['other paths', ['GET /a/:x'], ['GET /a/b/c']],
    [
      'conditions that exclude each other',
      [{ match: 'GET /a', when: beta('1') }],
      [{ match: 'GET /a', when: beta('2') }],
    ],
    ['an order that says it is meant', ['GET /a/*'], [{ match: 'GET /a/b', order: -1 }]],
    ['an empty last segment', ['GET /a/*'], ['GET /a/']],
  ])('sees no overlap in %s', (_, one, two) => {
    expect(warnings({ one, two })).toEqual([]);
  });

  it('tells where routes of one migration cross and are treated differently', () => {
    expect(warnings({ one: ['GET /a/:x', { match: 'GET /:y/b', shadow: false }] })).toEqual([
      expect.stringMatching(/^ROUTE_OVERLAP migrations\.one\.routes\[1\]/),
    ]);
  });

  it('finds a page and its form in different migrations', () => {
    expect(warnings({ pages: ['GET /cart/:id'], forms: ['POST /cart/:cart'] })).toEqual([
      'PAGE_AND_FORM_APART migrations.forms.routes[0] "POST /cart/:cart" takes the form of the page "GET /cart/:id" of "pages"',
    ]);
    expect(
      warnings({ pages: ['GET /cart'], forms: ['POST /cart'] }, { paths: { case: 'insensitive' } }),
    ).toHaveLength(1);
    expect(warnings({ pages: [{ match: 'GET /cart', when: beta('1') }], forms: ['GET,POST /cart'] })).toEqual(
      expect.arrayContaining([expect.stringContaining('PAGE_AND_FORM_APART')]),
    );
  });

  it.each([
    ['both in one migration', { one: ['GET,POST /cart'], two: ['GET /shop'] }],
    [
      'a page of its own below a rest',
      { one: [{ match: 'GET /*', order: 1 }], two: ['GET /cart', 'POST /cart'] },
    ],
    ['a form without a page', { one: [{ match: 'GET /*', order: 1 }], two: ['POST /login'] }],
  ])('has nothing against %s', (_, migrations) => {
    expect(warnings(migrations)).toEqual([]);
  });

  it('finds a workflow that is split over migrations, or left halfway', () => {
    const workflows = { checkout: ['* /cart/*', 'POST /pay'] };
    const split = (migrations: Routes) => warnings(migrations, { workflows });
    expect(split({ one: ['* /cart/*', 'POST /pay'] })).toEqual([]);
    expect(split({ one: ['GET /other'] })).toEqual([]);
    expect(split({ one: ['* /cart/*'], two: ['POST /pay'] })).toEqual([
      'WORKFLOW_SPLIT workflows.checkout is split: "* /cart/*" belongs to "one", "POST /pay" belongs to "two"',
    ]);
    expect(split({ one: ['* /cart/*'] })).toEqual([
      expect.stringContaining('"POST /pay" belongs to no migration'),
    ]);
    expect(split({ one: ['* /cart/*', { match: 'POST /pay', when: beta('1') }] })).toEqual([
      expect.stringContaining('"POST /pay" belongs to no migration'),
    ]);
    expect(split({ one: ['* /cart/*', 'POST /pay'], all: [{ match: '* /*', order: 1 }] })).toEqual([]);
  });

  it('gives each warning its line and a remedy', () => {
    const loaded = load({ one: ['GET /café'] });
    expect(loaded.ok && loaded.warnings()).toEqual([
      expect.objectContaining({ line: 1, remedy: expect.stringContaining('parameter') }),
    ]);
  });

  it('looks at a plan of ten thousand routes without comparing each with each', () => {
    const routes = (name: string) =>
      Array.from({ length: 5_000 }, (_, index) => `GET /api/${name}${index}/items/:id/tags/:tag`);
    expect(warnings({ one: routes('a'), two: [...routes('b'), 'GET /api/*'] })).toHaveLength(1);
  });
});
