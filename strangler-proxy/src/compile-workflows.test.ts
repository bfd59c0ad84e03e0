import { describe, expect, it } from '@jest/globals';
import { parseRoutePattern } from '@strangler/contracts';
import { compileWorkflows } from './compile-workflows.js';
import { parse } from './proxy.fixture.js';

const compile = (workflows: object, paths: object = {}) => {
  const migration = (routes: readonly string[]) => ({ owner: 'team', upstream: 'catalog', routes });
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, secret: '!env SECRET', paths },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      upstreams: { legacy: 'http://a:1', catalog: 'http://b:1' },
      migrations: {
        one: migration(['* /cart/*', 'GET /pay']),
        two: { ...migration(['GET /done', 'GET /a/*']), flag: 'other' },
      },
      workflows,
    }).replaceAll(/"(!env \w+)"/g, '$1'),
  );
  const of = compileWorkflows(plan);
  return (route: string) => of(parseRoutePattern(route));
};

describe('workflows', () => {
  it('are looked at only for routes whose requests can belong to them', () => {
    const of = compile({ checkout: ['GET /cart/:id', 'GET /done'] });
    expect(of('GET /pay')).toEqual([]);
    expect(of('POST /cart/*')).toEqual([]);
    expect(of('* /cart/*').map(({ name }) => name)).toEqual(['checkout']);
    const [checkout] = of('* /cart/*');
    expect(
      [
        ['GET', '/cart/7'],
        ['HEAD', '/cart/7'],
        ['POST', '/cart/7'],
        ['GET', '/cart/'],
        ['GET', '/cart/7/8'],
        ['GET', '/done'],
        ['GET', '/'],
      ].map(([method = '', path = '']) => checkout?.takes(method, path)),
    ).toEqual([true, true, false, false, false, true, false]);
  });

  it('take a rest and a root as routes do, by the rules of the plan', () => {
    const [all] = compile({ all: ['GET /a/*', 'GET /'] })('GET /a/*');
    expect(['/a/b/c', '/a', '/a/', '/'].map((path) => all?.takes('GET', path))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const [lower] = compile({ all: ['GET /A/*'] }, { case: 'insensitive' })('GET /a/*');
    expect(lower?.takes('GET', '/a/x')).toBe(true);
  });

  it('know their migrations and flags, their writes, and whether a part belongs to no migration', () => {
    const of = compile({
      reads: ['GET /cart/*', 'GET /done'],
      writes: ['POST /pay', '* /cart/:id/x'],
      parted: ['GET /a/*', 'GET /elsewhere'],
    });
    // Two of them share the reads of a cart: they are one.
    expect(of('GET /done')).toMatchObject([
      {
        name: 'reads+writes',
        hasWrites: true,
        isWhole: false,
        migrations: [
          { name: 'one', flag: 'strangler.one' },
          { name: 'two', flag: 'other' },
        ],
      },
    ]);
    expect(of('GET /a/*')).toMatchObject([
      { name: 'parted', hasWrites: false, isWhole: false, migrations: [{ name: 'two', flag: 'other' }] },
    ]);
  });

  it('that share requests are one, over others too; those that differ in method alone are not', () => {
    const of = compile({ a: ['GET /a/*'], b: ['GET /a/x', 'GET /b'], c: ['GET /b'], d: ['POST /b'] });
    expect(of('GET /b').map(({ name }) => name)).toEqual(['a+b+c']);
    expect(of('* /b').map(({ name }) => name)).toEqual(['a+b+c', 'd']);
  });
});
