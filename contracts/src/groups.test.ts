import { describe, expect, it } from '@jest/globals';
import { groupOf } from './groups.js';
import { parsePlan } from './load-plan.js';
import { problemLine } from './problem.js';

const load = (groups: unknown, changes: Record<string, object> = {}) => {
  const migration = (name: string) => ({
    owner: 'team',
    upstream: 'service',
    routes: [`GET /${name}`],
    ...changes[name],
  });
  const document = {
    version: 1,
    proxy: { listen: 0, secret: '!env SECRET' },
    control: { ledger: '!env LEDGER' },
    flags: { file: 'flags.json' },
    upstreams: { legacy: 'http://a:1', service: 'http://b:1' },
    migrations: { cart: migration('cart'), orders: migration('orders'), search: migration('search') },
    groups,
  };
  return parsePlan(JSON.stringify(document).replaceAll(/"(!env \w+)"/g, '$1'), 'plan.yaml', {
    SECRET: '0123456789abcdef',
    LEDGER: 'mysql://u:p@h/ledger',
  });
};
const planOf = (...args: Parameters<typeof load>) => {
  const loaded = load(...args);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
};
const problemsOf = (...args: Parameters<typeof load>) => {
  const loaded = load(...args);
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path} ${message}`);
};

describe('a group', () => {
  it('gives all its migrations one flag, which is named after it or as the plan says', () => {
    const flagsOf = (groups: unknown, changes: Record<string, object> = {}) =>
      Object.values(planOf(groups, changes).migrations).map(({ flag }) => flag);
    expect(flagsOf({ shop: ['cart', 'orders'] })).toEqual(['strangler.shop', 'strangler.shop', undefined]);
    expect(flagsOf({ shop: { migrations: ['orders', 'cart'], flag: 'x' } })).toEqual(['x', 'x', undefined]);
    expect(flagsOf({ shop: { migrations: ['cart'], flag: 'x' } }, { cart: { flag: 'x' } })[0]).toBe('x');
  });

  it('is found by its members', () => {
    const plan = planOf({ shop: ['cart', 'orders'] });
    expect(['cart', 'orders', 'search'].map((name) => groupOf(plan, name))).toEqual([
      'shop',
      'shop',
      undefined,
    ]);
  });

  it('has all its problems told at once', () => {
    expect(
      problemsOf(
        { shop: ['cart', 'orders', 'gone'], other: { migrations: ['cart'] }, search: ['search'] },
        {
          orders: { flag: 'own', canary: { steps: [50, 100] } },
          search: { flag: 'strangler.shop' },
        },
      ).toSorted(),
    ).toEqual(
      [
        'groups.search has the name of a migration',
        'groups.shop[2] "gone" is not a migration of the plan',
        'migrations.orders.flag "own" is not the flag of its group "shop", which is "strangler.shop"',
        'migrations.orders.canary.steps differ from those of "cart", which is in the same group "shop"',
        'groups.other.migrations[0] "cart" already belongs to "shop"',
        'migrations.search.flag "strangler.shop" is not the flag of its group "search", which is "strangler.search"',
      ].toSorted(),
    );
  });

  it('shares its flag with nobody outside', () => {
    expect(problemsOf({ shop: ['cart', 'orders'] }, { search: { flag: 'strangler.shop' } })).toEqual([
      'migrations.search.flag "strangler.shop" already belongs to "shop"',
    ]);
  });
});
