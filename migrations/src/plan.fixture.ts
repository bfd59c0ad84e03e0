import { parsePlan, type Plan, problemLine } from '@strangler/contracts';

export const ENVIRONMENT = {
  SECRET: '0123456789abcdef0123',
  PROXY_TOKEN: 'the-token-of-the-proxy',
  SYNC_TOKEN: 'the-token-of-the-sync',
  CONTROL_TOKEN: 'the-token-of-the-control-plane',
  LEDGER: 'mysql://u:p@127.0.0.1:3306/ledger',
  SHOP: 'mysql://u:p@127.0.0.1:3306/shop',
  CATALOG: 'mysql://u:p@127.0.0.1:3306/catalog',
};

export type Ports = {
  readonly proxy?: number;
  readonly proxyAdmin?: number;
  readonly sync?: number;
  readonly control?: number;
  /** Every admin port asks for its token. */
  readonly tokens?: boolean;
};

/** A plan with one migration that moves data and one that moves none. */
export const planText = ({
  proxy = 0,
  proxyAdmin = 7070,
  sync = 7071,
  control = 7072,
  tokens = false,
}: Ports = {}) => `version: 1
proxy: { listen: 127.0.0.1:${proxy}, admin: 127.0.0.1:${proxyAdmin}, secret: !env SECRET${tokens ? ', adminToken: !env PROXY_TOKEN' : ''} }
sync: { admin: 127.0.0.1:${sync}${tokens ? ', adminToken: !env SYNC_TOKEN' : ''} }
control: { listen: 127.0.0.1:${control}, ledger: !env LEDGER${tokens ? ', adminToken: !env CONTROL_TOKEN' : ''} }
flags: { file: flags.json }
databases: { legacy: !env SHOP, catalog: !env CATALOG }
upstreams:
  legacy: http://127.0.0.1:3000
  catalog: { url: http://127.0.0.1:3100, health: /health/ready }
migrations:
  catalog:
    title: Catalog & reviews
    owner: team catalog
    upstream: catalog
    routes:
      - GET /api/products/:id
      - GET /api/products
      - { match: 'GET /api/products/:id/image', shadow: false }
      - POST /api/products/:id/reviews
    gates: { minComparisons: 200, minComparisonsPerRoute: 5 }
    data:
      from: legacy
      to: catalog
      tables:
        - { from: product, to: product, key: { id: id }, columns: { title: name } }
  search:
    owner: team search
    upstream: catalog
    routes: [GET /api/search]
`;

export function planOf(ports: Ports = {}, environment: Record<string, string> = ENVIRONMENT): Plan {
  const loaded = parsePlan(planText(ports), 'strangler.yaml', environment);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
}
