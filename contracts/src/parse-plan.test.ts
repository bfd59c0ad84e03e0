import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';
import { planJsonSchema } from './plan-json-schema.js';
import { problemLine } from './problem.js';

const FIVE_LINES = `version: 1
proxy:
  listen: 127.0.0.1:8080
upstreams:
  legacy: http://127.0.0.1:3000
`;

const WHOLE = `version: 1
proxy:
  listen: 8080
  secret: !env SECRET
control: { ledger: !env LEDGER }
flags: { file: flags.json }
databases: { legacy: !env SHOP, catalog: !env CATALOG }
upstreams:
  legacy: http://127.0.0.1:3000
  catalog: { url: http://127.0.0.1:3100, health: /health/ready }
migrations:
  catalog:
    owner: team catalog
    upstream: catalog
    routes:
      - GET /api/products/:id
      - { match: GET /api/products, shadow: false }
    data:
      from: legacy
      to: catalog
      tables:
        - from: product
          to: product
          key: { id: id }
          columns: { title: name, price_minor: { minor: price, digits: 2 } }
          split: [{ to: product_tag, column: tags, key: { product_id: id }, item: tag, position: position }]
`;

const ENVIRONMENT = {
  SECRET: '0123456789abcdef0123',
  LEDGER: 'mysql://u:p@127.0.0.1:3306/ledger',
  SHOP: 'mysql://u:p@127.0.0.1:3306/shop',
  CATALOG: 'mysql://u:p@127.0.0.1:3306/catalog',
};

const planOf = (text: string, environment: Record<string, string> = ENVIRONMENT) => {
  const loaded = parsePlan(text, 'plan.yaml', environment);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
};
const problemsOf = (text: string, environment: Record<string, string> = ENVIRONMENT): string[] => {
  const loaded = parsePlan(text, 'plan.yaml', environment);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
};

describe('a plan', () => {
  it('of five lines is enough to stand in front of any application', () => {
    const plan = planOf(FIVE_LINES, {});
    expect(plan.proxy.listen).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(plan.proxy.admin.host).toBe('127.0.0.1');
    expect(plan.upstreams['legacy']).toMatchObject({
      urls: ['http://127.0.0.1:3000'],
      timeouts: { connectMs: 5_000, headMs: 30_000, idleMs: 300_000, bodyMs: 0 },
    });
    expect(plan.migrations).toEqual({});
  });

  it('is parsed once into routes, rules and addresses with every default filled in', () => {
    const { catalog } = planOf(WHOLE).migrations;
    expect(catalog?.routes.map((route) => [route.match.text, route.shadow])).toEqual([
      ['GET /api/products/:id', true],
      ['GET /api/products', false],
    ]);
    expect(catalog?.routes[0]?.match.methods).toEqual(['GET', 'HEAD']);
    expect(catalog?.canary.steps).toEqual([10, 50, 100]);
    expect(catalog?.data?.tables[0]?.split[0]?.separator).toBe(',');
  });

  it('may have its flags from an Unleash server, and says where clients say who they are', () => {
    const plan = planOf(
      WHOLE.replace(
        '{ file: flags.json }',
        '{ unleash: { url: http://u:4242/api/, token: !env SECRET } }',
      ).replace(
        'listen: 8080',
        `listen: 8080
  testers: { header: X-Strangler-Tester }
  identity: { user: { cookie: uid }, session: { cookie: sid }, tenant: { header: X-Tenant }, properties: { plan: { header: X-Plan } } }`,
      ),
    );
    expect(plan.flags).toEqual({
      unleash: {
        url: 'http://u:4242/api',
        token: ENVIRONMENT.SECRET,
        appName: 'strangler-proxy',
        environment: 'default',
        refreshMs: 5_000,
      },
    });
    expect(plan.proxy.testers).toEqual({ header: 'x-strangler-tester' });
    expect(plan.proxy.identity).toMatchObject({
      tenant: { header: 'x-tenant' },
      properties: { plan: { header: 'x-plan' } },
    });
    expect(plan.migrations['catalog']?.canary.oneWay).toBe(true);
  });

  it('has a revision that changes with what it says and not with how it is laid out', () => {
    const one = planOf(WHOLE);
    expect(planOf(`# a comment\n${WHOLE}`).revision).toBe(one.revision);
    expect(planOf(WHOLE.replace('team catalog', 'team shop')).revision).not.toBe(one.revision);
  });

  it('has the same revision wherever it runs: what enters by !env counts by its name', () => {
    const elsewhere = { ...ENVIRONMENT, LEDGER: 'mysql://other:secret@db:3306/ledger' };
    expect(planOf(WHOLE, elsewhere).revision).toBe(planOf(WHOLE).revision);
    expect(planOf(WHOLE.replace('!env LEDGER', '!env SHOP')).revision).not.toBe(planOf(WHOLE).revision);
  });

  it('tells every problem at once, with path, line and remedy', () => {
    const broken = WHOLE.replace('listen: 8080', 'listen: nowhere\n  colour: red')
      .replace('upstream: catalog', 'upstream: katalog')
      .replace('GET /api/products/:id', 'GET /api//x')
      .replace('digits: 2', 'digits: many')
      .replace('from: legacy', 'from: shop');
    expect(problemsOf(broken)).toEqual([
      'proxy.listen (line 3): "nowhere" is not an address to listen on: write it as "127.0.0.1:8080"',
      'proxy.colour (line 4): is not a key of the plan: remove it or correct its spelling',
      'migrations.catalog.upstream (line 15): names "katalog", which is not there: add "katalog" under upstreams',
      expect.stringMatching(
        /^migrations\.catalog\.routes\[0\] \(line 17\): route "GET \/api\/\/x" is not a route pattern/,
      ),
      'migrations.catalog.data.from (line 20): names "shop", which is not there: add "shop: !env ..." under databases',
      expect.stringMatching(
        /^migrations\.catalog\.data\.tables\[0\]\.columns\.price_minor\.digits \(line 26\): expected number/,
      ),
    ]);
  });

  it('names each unset variable once', () => {
    expect(problemsOf(WHOLE, { SECRET: ENVIRONMENT.SECRET, SHOP: ENVIRONMENT.SHOP })).toEqual([
      'control.ledger (line 5): needs the environment variable "LEDGER", which is not set: set LEDGER',
      'databases.catalog (line 7): needs the environment variable "CATALOG", which is not set: set CATALOG',
    ]);
  });

  it('keeps secrets out of the file', () => {
    expect(
      problemsOf(
        WHOLE.replace('!env SECRET', '0123456789abcdef0123').replace('!env SHOP', 'mysql://u:p@h/shop'),
      ),
    ).toEqual([
      'proxy.secret (line 4): has a secret in the file: let it enter by "!env NAME"',
      'databases.legacy (line 7): has a secret in the file: let it enter by "!env NAME"',
    ]);
  });

  it.each([
    ['no legacy', FIVE_LINES.replace('legacy', 'other'), /has no "legacy"/],
    ['broken YAML', 'version: [1', /plan.*correct the YAML/],
    [
      'two routes that match the same requests',
      WHOLE.replace('GET /api/products,', 'GET /api/products/:sku,'),
      /matches the same requests as "GET \/api\/products\/:id" of "catalog"/,
    ],
    [
      'steps that do not rise to 100',
      WHOLE.replace('owner:', 'canary: { steps: [50, 10] }\n    owner:'),
      /do not rise to 100/,
    ],
    ['migrations without a secret', WHOLE.replace('  secret: !env SECRET\n', ''), /has no "secret"/],
    [
      'two mappings of one target table',
      WHOLE.replace('to: product_tag', 'to: product'),
      /"product" is already written by "product" of "catalog"/,
    ],
    [
      'a split that does not name its parent',
      WHOLE.replace('product_id: id', 'product_id: sku'),
      /does not name the parent by the key of "product"/,
    ],
    [
      'an unknown time zone',
      WHOLE.replace('title: name', 'title: { utc: created, zone: Mars/Olympus }'),
      /is not a time zone/,
    ],
    [
      'a database that is no MySQL',
      WHOLE.replace('!env LEDGER', 'postgres://h/x'),
      /is not the URL of a MySQL or MariaDB database/,
    ],
    [
      'flags of two sources',
      WHOLE.replace('flags.json }', 'flags.json, unleash: { url: http://u/api, token: !env SECRET } }'),
      /flags .*name two sources/,
    ],
    ['flags of no source', WHOLE.replace('{ file: flags.json }', '{}'), /flags .*name no source/],
    [
      'an Unleash server without its API',
      WHOLE.replace('{ file: flags.json }', '{ unleash: { url: http://u:4242, token: !env SECRET } }'),
      /ending in "\/api"/,
    ],
    [
      'a token in the file',
      WHOLE.replace('{ file: flags.json }', '{ unleash: { url: http://u/api, token: abc } }'),
      /flags\.unleash\.token .*has a secret in the file/,
    ],
    [
      'a property that flags have anyway',
      WHOLE.replace('listen: 8080', 'listen: 8080\n  identity: { properties: { tenant: { header: x-t } } }'),
      /properties\.tenant .*write it as "identity\.tenant"/,
    ],
    [
      'testers whose token would reach an application',
      WHOLE.replace('listen: 8080', 'listen: 8080\n  testers: { header: x-tester }'),
      /does not begin with "x-strangler-"/,
    ],
    [
      'testers without a secret',
      FIVE_LINES.replace('8080', '8080\n  testers: { header: x-strangler-tester }'),
      /proxy\.testers .*need a "secret"/,
    ],
    ['a service that is legacy', WHOLE.replace('upstream: catalog', 'upstream: legacy'), /is "legacy"/],
    ['an empty file', '', /expected object/],
  ])('refuses %s', (_, text, sentence) => {
    expect(problemsOf(text).join('\n')).toMatch(sentence);
  });

  it('has a published JSON Schema that is up to date (npm run schema -w contracts)', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../plan.schema.json', import.meta.url), 'utf8'),
    );
    expect(published).toEqual(JSON.parse(JSON.stringify(planJsonSchema())));
  });
});
