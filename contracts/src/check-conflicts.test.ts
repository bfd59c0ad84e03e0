import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';

const environment = {
  SHOP: 'mysql://root:pw@a:3306/shop',
  CATALOG: 'mysql://root:pw@b:3306/catalog',
  LEDGER: 'mysql://root:pw@b:3306/ledger',
};
const planOf = (table: string, data = '', sync = '') =>
  parsePlan(
    `version: 1
proxy: { listen: 8080, secret: !env SECRET }
${sync}
control: { ledger: !env LEDGER }
flags: { file: flags.json }
databases: { shop: !env SHOP, catalog: !env CATALOG }
upstreams: { legacy: http://127.0.0.1:3000, catalog: http://127.0.0.1:3001 }
migrations:
  catalog:
    owner: team
    upstream: catalog
    routes: ['GET /items']
    data:
      from: shop
      to: catalog
      ${data}
      tables:
        - from: product
          to: item
          key: { id: id }
          columns: { title: name, cents: { minor: price, digits: 2 }, active: { flag: active }, version: version }
          ${table}
`,
    'plan.yaml',
    { ...environment, SECRET: 'a-secret-that-is-long-enough-for-it' },
  );
const problems = (...args: Parameters<typeof planOf>) => {
  const loaded = planOf(...args);
  return loaded.ok
    ? []
    : loaded.problems.map(
        ({ path, message }) => `${path.replace('migrations.catalog.data.', '')} ${message}`,
      );
};

describe('the writers of a table', () => {
  it('are the source alone when nothing is said', () => {
    const loaded = planOf('');
    expect(loaded.ok && loaded.plan.migrations['catalog']?.data?.tables[0]).toMatchObject({
      writers: 'source',
    });
  });

  it.each([
    'writers: both',
    'writers: both\n          conflicts: { authority: target, columns: { cents: additive, title: source } }',
    'writers: both\n          conflicts: { policy: version, version: version }',
    'writers: both\n          conflicts: { policy: manual }',
  ])('may be both: %s', (table) => {
    expect(problems(table)).toEqual([]);
  });

  it('are refused with all that is wrong at once', () => {
    expect(problems('conflicts: { authority: target }')).toEqual(['tables[0].conflicts need two writers']);
    expect(
      problems(
        `writers: both
          conflicts: { policy: manual, version: none, columns: { active: additive, other: source } }
          split: [{ to: tag, column: tags, key: { item_id: id }, item: tag }]`,
        'truncate: delete',
        'sync: { source: { kind: kafka, brokers: ["127.0.0.1:9092"], connect: "http://127.0.0.1:8083" } }',
      ),
    ).toEqual([
      'tables[0].writers cannot be "both" for a table with a "split"',
      'tables[0].writers cannot be "both" with "truncate: delete"',
      'tables[0].writers cannot be "both" where changes come through Kafka',
      'tables[0].conflicts.version is asked by no policy',
      'tables[0].conflicts.version "none" is not a mapped column',
      'tables[0].conflicts.columns go apart from the row only where one side has the authority',
      'tables[0].conflicts.columns.active is mapped so that differences are not kept',
      'tables[0].conflicts.columns.other is not a mapped column',
    ]);
    expect(problems('writers: both\n          conflicts: { policy: version }')).toEqual([
      'tables[0].conflicts name no version',
    ]);
  });
});
