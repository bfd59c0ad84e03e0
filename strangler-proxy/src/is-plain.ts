import type { Plan } from '@strangler/contracts';
import type { Verdict } from './judge.js';
import type { Route } from './match.js';
import type { Upstream } from './upstreams.js';

/**
 * What the express lane knows and does, or may leave alone. Whatever else a plan or a route says makes a request one for the lane
 * of node:http: a new key is safe from the day it is there, and fast from the day it is named here.
 */
const PROXY_KEYS = [
  'listen',
  'admin',
  'tls',
  'secret',
  'identity',
  'testers',
  'shadow',
  'paths',
  'stateFile',
  'replicas',
  'workers',
  'adminToken',
  // `admission` is asked in both lanes; of sizes, the lane takes none that is too large.
  'limits',
  'rateLimits',
  'overload',
  'readYourWrites',
  // A write that is held is not plain; the others need nothing of it.
  'hold',
  'accessLog',
  // What `accept` and `answerHeaders` do, for both lanes.
  'trusted',
  'forwarded',
  'via',
  // `Authenticate.concerns` tells which requests; a guard on a route is a key of the route.
  'auth',
  'sessionBridge',
  // An expectation is never plain.
  'expectContinue',
];
const UPSTREAM_KEYS = [
  'url',
  'urls',
  'host',
  'balance',
  'health',
  'timeouts',
  'dns',
  'breaker',
  'retries',
  // Of the admission.
  'maxInFlight',
  'queue',
  'queueMs',
];
const MIGRATION_KEYS = [
  'owner',
  'title',
  'upstream',
  'flag',
  'routes',
  'compare',
  'canary',
  'gates',
  'cutover',
  'data',
];
// What the migration asks of all its routes: it stands in each route as `guard`, which is not plain.
const GUARD_KEYS = ['auth', 'session'];
const ROUTE_KEYS = [
  'text',
  'migration',
  'upstream',
  'flag',
  'shadow',
  'compare',
  'workflows',
  'limits',
  'rateLimit',
];

export type IsPlain = {
  /** What `proxy` says that the lane does not know: with any of it the lane is not used at all. */
  readonly unknown: readonly string[];
  /** Whether nothing but forwarding is left to do for a request. */
  (verdict: Verdict): boolean;
};

export function createIsPlain({ proxy, upstreams, migrations }: Plan): IsPlain {
  const plainUpstreams = new Set(
    Object.entries(upstreams)
      .filter(
        ([, upstream]) =>
          upstream.urls.every((url) => url.startsWith('http:')) &&
          upstream.host === 'client' &&
          hasOnly(upstream, UPSTREAM_KEYS),
      )
      .map(([name]) => name),
  );
  const plainMigrations = new Set(
    Object.entries(migrations)
      .filter(([, migration]) => hasOnly(migration, [...MIGRATION_KEYS, ...GUARD_KEYS]))
      .map(([name]) => name),
  );
  const routes = new WeakMap<Route, boolean>();
  const isPlainRoute = (route: Route): boolean => {
    let isPlain = routes.get(route);
    if (isPlain === undefined) {
      isPlain = plainMigrations.has(route.migration) && hasOnly(route, ROUTE_KEYS);
      routes.set(route, isPlain);
    }
    return isPlain;
  };
  const isPlainUpstream = ({ name }: Pick<Upstream, 'name'>) => plainUpstreams.has(name);
  return Object.assign(
    ({ route, decision, consulted: { tester } }: Verdict): boolean =>
      // A tester's answer carries the explanation.
      tester === undefined &&
      isPlainUpstream({ name: decision.upstream }) &&
      (!decision.fallback || isPlainUpstream({ name: 'legacy' })) &&
      (route === undefined || isPlainRoute(route)),
    { unknown: unknownIn(proxy, PROXY_KEYS) },
  );
}

const unknownIn = (value: object, known: readonly string[]): string[] =>
  Object.entries(value).flatMap(([key, each]) => (each === undefined || known.includes(key) ? [] : [key]));
const hasOnly = (value: object, known: readonly string[]): boolean => unknownIn(value, known).length === 0;
