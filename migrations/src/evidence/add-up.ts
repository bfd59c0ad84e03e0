import {
  COMPARISONS,
  type MigrationTraffic,
  type ProxyEvidence,
  type RouteEvidence,
} from '@strangler/contracts';

type Several<T> = readonly [T, ...T[]];

/**
 * The evidence of several proxies as that of one. Counts are added. Clean comparisons of a route count only from the latest moment at
 * which any proxy found a mismatch on it, or began to count, or (`countFrom`) was lost: what a proxy may have seen before and has
 * forgotten is not outvoted by the others. Percentages of clients are weighed by the clients each has seen; `clients` is
 * what one of them has seen at most, since nobody knows how many met more than one. Clocks are taken to agree within a second or so.
 */
export function addUp(proxies: Several<ProxyEvidence>, countFrom: string | null = null): ProxyEvidence {
  const [first] = proxies;
  if (proxies.length === 1 && (countFrom === null || countFrom <= first.startedAt)) return first;
  const names = unique(proxies.flatMap(({ migrations }) => Object.keys(migrations)));
  return {
    instance: proxies.map(({ instance }) => instance).join(', '),
    at: earliest(proxies.map(({ at }) => at)),
    startedAt: latest(proxies.map(({ startedAt }) => startedAt)),
    planRevision: unique(proxies.map(({ planRevision }) => planRevision)).join(', '),
    stateVersion: Math.min(...proxies.map(({ stateVersion }) => stateVersion)),
    inContact: proxies.every(({ inContact }) => inContact),
    requests: {
      total: sum(proxies.map(({ requests }) => requests.total)),
      failed: sum(proxies.map(({ requests }) => requests.failed)),
    },
    upstreams: upstreamsOf(proxies),
    migrations: Object.fromEntries(names.map((name) => [name, trafficOf(name, proxies, countFrom)])),
  };
}

function upstreamsOf(proxies: Several<ProxyEvidence>): ProxyEvidence['upstreams'] {
  const names = unique(proxies.flatMap(({ upstreams }) => Object.keys(upstreams)));
  return Object.fromEntries(
    names.map((name) => {
      const ill = proxies.find(({ upstreams }) => upstreams[name]?.healthy === false);
      const reason = ill
        ? `"${ill.instance}" finds: ${ill.upstreams[name]?.reason ?? 'no reason given'}`
        : null;
      return [name, { healthy: !ill, reason }];
    }),
  );
}

function trafficOf(
  name: string,
  proxies: Several<ProxyEvidence>,
  countFrom: string | null,
): MigrationTraffic {
  const known = proxies.flatMap(({ startedAt, migrations }) => {
    const traffic = migrations[name];
    return traffic ? [{ startedAt, traffic }] : [];
  });
  const traffics = known.map(({ traffic }) => traffic) as unknown as Several<MigrationTraffic>;
  const routes = unique(traffics.flatMap((traffic) => traffic.routes.map(({ route }) => route)));
  return {
    phase: traffics[0].phase,
    share: shareOf(traffics),
    serviceFailures: sum(traffics.map(({ serviceFailures }) => serviceFailures)),
    ...writesOf(traffics),
    routes: routes.map((route) =>
      routeOf(
        known.flatMap(({ startedAt, traffic }) => {
          const found = traffic.routes.find((each) => each.route === route);
          return found ? [{ startedAt, found }] : [];
        }) as unknown as Several<Counted>,
        countFrom,
      ),
    ),
  };
}

/** Left out when one of them says nothing of writes. */
function writesOf(traffics: Several<MigrationTraffic>): Pick<MigrationTraffic, 'writes'> {
  const all = traffics.flatMap(({ writes }) => writes ?? []);
  if (all.length < traffics.length) return {};
  const total = (count: 'held' | 'inFlight' | 'released' | 'refused' | 'left') =>
    sum(all.map((writes) => writes[count]));
  const holds = all.flatMap(({ lastHoldMs }) => lastHoldMs ?? []);
  return {
    writes: {
      held: total('held'),
      inFlight: total('inFlight'),
      lastHoldMs: holds.length > 0 ? Math.max(...holds) : null,
      released: total('released'),
      refused: total('refused'),
      left: total('left'),
    },
  };
}

type Counted = { readonly startedAt: string; readonly found: RouteEvidence };

function routeOf(counted: Several<Counted>, countFrom: string | null): RouteEvidence {
  const all = counted.map(({ found }) => found);
  const mismatches = all.flatMap(({ lastMismatchAt }) => lastMismatchAt ?? []);
  const byLegacy = all.flatMap(({ legacyAt }) => legacyAt ?? []);
  const from = latest([...mismatches, ...counted.map(({ startedAt }) => startedAt), countFrom ?? '']);
  const samples = all.flatMap((route) => route.samples).toSorted((a, b) => a.at.localeCompare(b.at));
  const most = Math.max(...all.map((route) => route.samples.length));
  const served = (side: 'legacy' | 'service' | 'fallback') => sum(all.map((route) => route.served[side]));
  return {
    route: counted[0].found.route,
    served: { legacy: served('legacy'), service: served('service'), fallback: served('fallback') },
    comparisons: Object.fromEntries(
      COMPARISONS.map((outcome) => [outcome, sum(all.map(({ comparisons }) => comparisons[outcome]))]),
    ) as RouteEvidence['comparisons'],
    cleanSinceMismatch: sum(counted.map((one) => cleanAfter(one, from))),
    lastMismatchAt: mismatches.length === 0 ? null : latest(mismatches),
    legacyAt: byLegacy.length === 0 ? null : latest(byLegacy),
    notCompared: Object.fromEntries(
      unique(all.flatMap(({ notCompared }) => Object.keys(notCompared))).map((reason) => [
        reason,
        sum(all.map(({ notCompared }) => notCompared[reason] ?? 0)),
      ]),
    ),
    samples: samples.slice(samples.length - most),
  };
}

/** Clean comparisons that are certain to be later than `from`; those between `from` and the next mark are let go. */
function cleanAfter({ startedAt, found }: Counted, from: string): number {
  const began = latest([startedAt, found.lastMismatchAt ?? '']);
  if (began >= from) return found.cleanSinceMismatch;
  const mark = found.cleanMarks?.find(([at]) => at >= from);
  return mark ? found.cleanSinceMismatch - mark[1] : 0;
}

function shareOf(traffics: Several<MigrationTraffic>): MigrationTraffic['share'] {
  const shares = traffics.map(({ share }) => share) as unknown as Several<MigrationTraffic['share']>;
  const configured = unique(shares.map((share) => share.configured));
  const clients = Math.max(...shares.map((share) => share.clients));
  const weighed = sum(shares.map((share) => share.clients));
  const pinned = sum(shares.map((share) => share.pinned ?? 0));
  const mean = (of: 'observedClients' | 'observedRequests', by: 'clients' | 'requests'): number | null => {
    const told = shares.filter((share) => share[of] !== null);
    const weight = sum(told.map((share) => share[by]));
    if (weight === 0) return null;
    return Math.round((10 * sum(told.map((share) => (share[of] ?? 0) * share[by]))) / weight) / 10;
  };
  return {
    // Gates ask each proxy for its own; while they differ there is no one share.
    configured: configured.length === 1 ? (configured[0] ?? null) : null,
    observedClients: mean('observedClients', 'clients'),
    observedRequests: mean('observedRequests', 'requests'),
    clients,
    pinned: weighed === 0 ? 0 : Math.round((pinned * clients) / weighed),
    requests: sum(shares.map((share) => share.requests)),
    since: earliest(shares.map(({ since }) => since)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const unique = <T>(values: readonly T[]): readonly T[] => [...new Set(values)];
// ISO 8601 in UTC sorts as text.
const latest = (times: readonly string[]): string => times.toSorted().at(-1) ?? '';
const earliest = (times: readonly string[]): string => times.toSorted()[0] ?? '';
