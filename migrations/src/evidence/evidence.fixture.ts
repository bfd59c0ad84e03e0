import type {
  MigrationSync,
  MigrationTraffic,
  Phase,
  ProxyEvidence,
  RouteEvidence,
  SyncEvidence,
  Verification,
} from '@strangler/contracts';
import type { Evidence, ProxyAnswer } from './evidence.js';
import { hearProxies } from './hear-proxies.js';

export const NOW = Date.parse('2026-11-23T12:00:00.000Z');
export const ago = (milliseconds: number): string => new Date(NOW - milliseconds).toISOString();

export const routeEvidence = (route: string, changes: Partial<RouteEvidence> = {}): RouteEvidence => ({
  route,
  served: { legacy: 500, service: 0, fallback: 0 },
  comparisons: { match: 400, mismatch: 0, ignored: 3, inconclusive: 1 },
  cleanSinceMismatch: 400,
  lastMismatchAt: null,
  notCompared: {},
  samples: [],
  ...changes,
});

/** A route whose newest comparisons found the price wrong. */
export const mismatched = (route: string, clean: number): RouteEvidence =>
  routeEvidence(route, {
    comparisons: { match: 100, mismatch: 7, ignored: 0, inconclusive: 0 },
    cleanSinceMismatch: clean,
    lastMismatchAt: ago(1_000),
    samples: [
      { at: ago(60_000), request: 'GET /api/products/1', differences: [] },
      {
        at: ago(1_000),
        request: 'GET /api/products/7',
        differences: [
          { path: '/price', kind: 'value', control: '"19.99"', candidate: '"19.98"' },
          { path: '/tags', kind: 'length', control: '2', candidate: '1' },
        ],
      },
    ],
  });

export const traffic = (changes: Partial<MigrationTraffic> = {}): MigrationTraffic => ({
  phase: 'shadow',
  share: {
    configured: 0,
    observedClients: 0,
    observedRequests: 0,
    clients: 300,
    requests: 1_000,
    since: ago(60_000),
  },
  serviceFailures: 0,
  routes: [routeEvidence('GET /api/products/:id'), routeEvidence('GET /api/products')],
  ...changes,
});

/** Traffic of a canary whose share was observed as it was configured. */
export const canaryTraffic = (share: number, phase: Phase = 'canary'): MigrationTraffic =>
  traffic({
    phase,
    share: {
      configured: share,
      observedClients: share,
      observedRequests: share,
      clients: 300,
      requests: 1_000,
      since: ago(60_000),
    },
    routes: [
      routeEvidence('GET /api/products/:id', { served: { legacy: 500, service: 80, fallback: 0 } }),
      routeEvidence('GET /api/products', { served: { legacy: 500, service: 20, fallback: 0 } }),
    ],
  });

export const verification = (changes: Partial<Verification> = {}): Verification => ({
  startedAt: ago(62_000),
  finishedAt: ago(60_000),
  clean: true,
  rowsVerified: 2_000,
  driftRows: 0,
  tables: [
    {
      from: 'product',
      to: 'product',
      sourceRows: 2_000,
      targetRows: 2_000,
      compared: 2_000,
      different: 0,
      missing: 0,
      extra: 0,
      samples: [],
    },
  ],
  ...changes,
});

export const syncOf = (changes: Partial<MigrationSync> = {}): MigrationSync => ({
  state: 'tailing',
  problem: null,
  backfill: { tables: [{ table: 'product', copied: 2_000, total: 2_000, done: true }], etaMs: null },
  lagMs: 40,
  lagMsP99: 120,
  offset: 'binlog.000002:1234',
  applied: { transactions: 12, rows: 34 },
  verification: verification(),
  ...changes,
});

export const proxyEvidence = (
  catalog: MigrationTraffic = traffic(),
  changes: Partial<ProxyEvidence> = {},
): ProxyEvidence => ({
  instance: 'proxy-1',
  at: ago(0),
  startedAt: ago(3_600_000),
  planRevision: 'revision',
  stateVersion: 3,
  inContact: true,
  requests: { total: 5_000, failed: 2 },
  upstreams: { legacy: { healthy: true, reason: null }, catalog: { healthy: true, reason: null } },
  migrations: { catalog, search: traffic({ phase: 'legacy', routes: [routeEvidence('GET /api/search')] }) },
  ...changes,
});

export const syncEvidence = (
  catalog: MigrationSync = syncOf(),
  changes: Partial<SyncEvidence> = {},
): SyncEvidence => ({
  instance: 'sync-1',
  at: ago(0),
  planRevision: 'revision',
  stateVersion: 3,
  inContact: true,
  migrations: { catalog },
  ...changes,
});

/** A proxy that answered, or one that did not and is known by its name. */
export const answerOf = (proxy: ProxyEvidence | string): ProxyAnswer =>
  typeof proxy === 'string'
    ? { name: proxy, url: 'http://proxy', answer: { ok: false, reason: 'no answer' } }
    : { name: proxy.instance, url: 'http://proxy', answer: { ok: true, evidence: proxy } };

export const evidenceOf = (
  proxy: ProxyEvidence | string | readonly (ProxyEvidence | string)[] = proxyEvidence(),
  sync: SyncEvidence = syncEvidence(),
): Evidence => ({
  at: NOW,
  ...hearProxies([proxy].flat().map(answerOf)),
  sync: { ok: true, evidence: sync },
});
