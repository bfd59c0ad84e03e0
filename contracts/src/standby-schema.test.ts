import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';

const environment = {
  SHOP: 'mysql://root:pw@a:3306/shop',
  SHOP_2: 'mysql://root:pw@b:3306/shop',
  OTHER: 'mysql://root:pw@b:3306/other',
};
const planOf = (failover: string) =>
  parsePlan(
    `version: 1
proxy: { listen: 8080 }
sync: { failover: ${failover} }
databases: { shop: !env SHOP }
upstreams: { legacy: http://127.0.0.1:3000 }
`,
    'plan.yaml',
    environment,
  );
const problems = (failover: string) => {
  const loaded = planOf(failover);
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path} ${message}`);
};

describe('servers to fail over to', () => {
  it('are kept in their order', () => {
    const loaded = planOf('{ shop: [!env SHOP_2] }');
    expect(loaded.ok && loaded.plan.sync.failover).toEqual({ shop: [environment.SHOP_2] });
  });

  it('are none when left out', () => {
    const loaded = planOf('{}');
    expect(loaded.ok && loaded.plan.sync.failover).toEqual({});
  });

  it.each([
    ['{ stock: [!env SHOP_2] }', 'sync.failover.stock "stock" is not under "databases"'],
    ['{ shop: [!env OTHER] }', 'sync.failover.shop[0] names another database'],
    ['{ shop: [mysql://root:pw@b:3306/shop] }', 'sync.failover.shop[0] has a secret in the file'],
    ['{ shop: [http://b/shop] }', 'sync.failover.shop[0] is not the URL of a MySQL or MariaDB database'],
  ])('%s: %s', (failover, sentence) => {
    expect(problems(failover)).toContain(sentence);
  });
});
