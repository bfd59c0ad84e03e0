import type { Migration, MigrationSync, MigrationTraffic, Verification } from '@strangler/contracts';
import { answering, type Evidence } from '../evidence/evidence.js';
import type { Standing } from '../ledger/fold.js';
import { isSameCount, otherPlan, otherShares, proxyCounters } from './each-proxy.js';
import { cleanOf, comparedRoutes, firstDifference, verdict } from './comparisons.js';
import type { Gate } from './gate.js';

/** Everything a gate may look at. */
export type GateContext = {
  readonly name: string;
  readonly migration: Migration;
  readonly planRevision: string;
  readonly standing: Standing;
  /** Percent of clients the flag sends to the service now; null when it cannot be told. */
  readonly share: number | null;
  readonly evidence: Evidence;
};

export type GateCheck = (context: GateContext) => Gate;

/** Below this the observed share says nothing of the configured one. */
const MIN_CLIENTS = 20;

const gate = (name: string, met: boolean, detail: string): Gate => ({ gate: name, met, detail });
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;

type Found<T> = { readonly found: T } | { readonly unmet: string };

function trafficOf({ evidence: { proxy, proxies }, name }: GateContext): Found<MigrationTraffic> {
  if (!proxy.ok) return { unmet: `no evidence from the proxy: ${proxy.reason}` };
  const without = answering(proxies).find(({ migrations }) => migrations[name] === undefined);
  const traffic = proxy.evidence.migrations[name];
  if (traffic && !without) return { found: traffic };
  return {
    unmet: `"${without?.instance ?? 'proxy'}" knows no migration "${name}": give it the plan that the control plane has`,
  };
}

function syncOf({ evidence: { sync }, name }: GateContext): Found<MigrationSync> {
  if (sync === null || !sync.ok)
    return { unmet: `no evidence from sync: ${sync === null ? 'it is not part of the plan' : sync.reason}` };
  const found = sync.evidence.migrations[name];
  return found ? { found } : { unmet: `sync knows no migration "${name}": restart it` };
}

const withTraffic = (
  name: string,
  judge: (traffic: MigrationTraffic, context: GateContext) => Gate,
): GateCheck => {
  return (context) => {
    const traffic = trafficOf(context);
    return 'unmet' in traffic ? gate(name, false, traffic.unmet) : judge(traffic.found, context);
  };
};

/** A migration that moves no data has nothing to wait for. */
const withSync = (name: string, judge: (sync: MigrationSync, context: GateContext) => Gate): GateCheck => {
  return (context) => {
    if (context.migration.data === undefined) return gate(name, true, 'the migration moves no data');
    const sync = syncOf(context);
    if ('unmet' in sync) return gate(name, false, sync.unmet);
    return judge(sync.found, context);
  };
};

const samePlan = (theirs: string, ours: string) =>
  theirs === ours ? null : `it runs another revision of the plan (${theirs}, here ${ours}): restart it`;

export const syncAnswers: GateCheck = (context) => {
  const { sync } = context.evidence;
  if (context.migration.data === undefined) return gate('sync-answers', true, 'the migration moves no data');
  if (sync === null || !sync.ok) return gate('sync-answers', false, sync?.reason ?? 'the plan has no sync');
  const other = samePlan(sync.evidence.planRevision, context.planRevision);
  return gate('sync-answers', other === null, other ?? `"${sync.evidence.instance}" answers`);
};

export const proxyAnswers: GateCheck = (context) => {
  const { proxy, proxies } = context.evidence;
  if (!proxy.ok) return gate('proxy-answers', false, proxy.reason);
  const problems = answering(proxies).flatMap((each) => {
    const problem =
      otherPlan(each, context.planRevision) ??
      (each.inContact ? null : 'has lost contact to the control plane, so it would not follow a change');
    return problem === null ? [] : [`"${each.instance}" ${problem}`];
  });
  const names = proxies.map(({ name }) => `"${name}"`).join(', ');
  return gate(
    'proxy-answers',
    problems.length === 0,
    problems.join('; ') || `${names} ${proxies.length === 1 ? 'answers' : 'answer'}`,
  );
};

export const backfillDone: GateCheck = withSync('backfill', (sync) => {
  if (sync.problem !== null) return gate('backfill', false, `sync has stopped: ${sync.problem}`);
  const open = sync.backfill.tables.filter((table) => !table.done);
  const rows = sync.backfill.tables.reduce((sum, table) => sum + table.copied, 0);
  if (open.length > 0)
    return gate(
      'backfill',
      false,
      `not done: ${open.map((table) => `"${table.table}" ${table.copied} of ${table.total} rows`).join(', ')}`,
    );
  return sync.state === 'tailing'
    ? gate('backfill', true, `${rows} rows copied, sync follows the log`)
    : gate('backfill', false, `sync is "${sync.state}": wait until it is "tailing"`);
});

export const nothingParked: GateCheck = withSync('parked', ({ parked }, { name }) => {
  if (parked === undefined) return gate('parked', true, 'sync parks nothing');
  const [first] = parked.samples;
  return gate(
    'parked',
    parked.keys === 0,
    first === undefined
      ? 'no row waits'
      : `${parked.keys} keys wait, "${first.key}" since ${first.firstSeen} (${first.problem}): see "strangler parked list ${name}"`,
  );
});

export const lagSmall: GateCheck = withSync('lag', (sync, { migration: { gates } }) => {
  if (sync.problem !== null) return gate('lag', false, `sync has stopped: ${sync.problem}`);
  if (sync.lagMs === null) return gate('lag', false, 'not measured yet: wait for a heartbeat');
  const p99 = sync.lagMsP99 === null ? '' : `, 99th percentile ${Math.round(sync.lagMsP99)} ms`;
  return gate(
    'lag',
    sync.lagMs <= gates.maxLagMs,
    `${Math.round(sync.lagMs)} ms now, allowed ${gates.maxLagMs} ms${p99}`,
  );
});

/**
 * The newest verification of the copy that is in place now. Sync forgets its own when it restarts, the ledger does not;
 * one from before the copy was begun says nothing of it.
 */
export function newestVerification(
  sync: MigrationSync | undefined,
  { lastVerified, copiedSince }: Standing,
): (Omit<Verification, 'tables'> & Partial<Pick<Verification, 'tables'>>) | null {
  if (copiedSince === null) return null;
  return (
    [sync?.verification ?? null, lastVerified?.verification ?? null]
      .filter((one) => one !== null)
      .filter(({ startedAt }) => startedAt >= copiedSince)
      .toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt))[0] ?? null
  );
}

export const verifiedClean: GateCheck = withSync('verification', (sync, context) => {
  const { standing, migration, evidence, name } = context;
  const remedy = `run "strangler verify ${name}"`;
  const verification = newestVerification(sync, standing);
  if (verification === null) return gate('verification', false, `this copy was never verified: ${remedy}`);
  if (!verification.clean)
    return gate(
      'verification',
      false,
      `${verification.driftRows} rows differ of ${verification.rowsVerified}: see the report, then ${remedy}`,
    );
  const age = evidence.at - Date.parse(verification.finishedAt);
  const fresh = age <= migration.gates.maxVerificationAgeMs;
  const limit = seconds(migration.gates.maxVerificationAgeMs);
  return gate(
    'verification',
    fresh,
    `${verification.rowsVerified} rows without drift, ${seconds(Math.max(0, age))} ago, allowed ${limit}${fresh ? '' : `: ${remedy}`}`,
  );
});

export const serviceReady: GateCheck = ({ evidence: { proxy }, migration: { upstream } }) => {
  if (!proxy.ok) return gate('service-ready', false, `no evidence from the proxy: ${proxy.reason}`);
  const found = proxy.evidence.upstreams[upstream];
  if (!found) return gate('service-ready', false, `the proxy knows no upstream "${upstream}": restart it`);
  return gate(
    'service-ready',
    found.healthy,
    found.healthy ? `"${upstream}" is healthy` : `"${upstream}" is not: ${found.reason ?? 'no reason given'}`,
  );
};

export const comparisonsClean: GateCheck = withTraffic('comparisons', (traffic, { migration }) => {
  const routes = comparedRoutes(migration, traffic);
  if (routes.length === 0)
    return gate(
      'comparisons',
      false,
      'no route of the migration is shadowed: nothing can be said of the service',
    );
  const met = cleanOf(routes) >= migration.gates.minComparisons;
  return gate(
    'comparisons',
    met,
    `${verdict(routes)}${met ? '' : `; needed are ${migration.gates.minComparisons} without a mismatch`}`,
  );
});

export const routesCompared: GateCheck = withTraffic('comparisons-per-route', (traffic, { migration }) => {
  const needed = migration.gates.minComparisonsPerRoute;
  const routes = comparedRoutes(migration, traffic);
  const short = routes.filter((route) => route.cleanSinceMismatch < needed);
  if (short.length === 0)
    return gate(
      'comparisons-per-route',
      true,
      `each of ${routes.length} routes has ${needed} or more without a mismatch`,
    );
  return gate(
    'comparisons-per-route',
    false,
    short
      .map((route) => {
        const since =
          route.comparisons.mismatch > 0 ? ` since its last of ${route.comparisons.mismatch} mismatches` : '';
        const difference = route.comparisons.mismatch > 0 ? firstDifference(route) : null;
        return `"${route.route}" has ${route.cleanSinceMismatch} of ${needed}${since}${difference === null ? '' : ` (${difference})`}`;
      })
      .join(', '),
  );
});

/** Failures since the share or the phase last changed; of a proxy that has started since, or was not heard then, since its start. */
export const serviceHolds: GateCheck = withTraffic('service-failures', (_traffic, context) => {
  const { migration, standing, evidence } = context;
  const last = standing.last?.counters;
  const before = last?.proxies ?? (last ? [last] : []);
  const now = proxyCounters(evidence.proxies, context.name);
  const since = now.map((one) => {
    const then = before.find((other) => isSameCount(one, other));
    return { answers: one.answers - (then?.answers ?? 0), failures: one.failures - (then?.failures ?? 0) };
  });
  const gone = before.filter((then) => !now.some((one) => isSameCount(one, then))).length;
  const answers = since.reduce((sum, each) => sum + each.answers, 0);
  const failures = since.reduce((sum, each) => sum + each.failures, 0);
  const allowed = migration.gates.maxServiceFailures;
  if (context.share === 0)
    return gate('service-failures', true, 'no client goes to the service now: the flag is off');
  if (answers <= 0)
    return gate(
      'service-failures',
      false,
      'the service has answered no client since the last change: wait for traffic',
    );
  return gate(
    'service-failures',
    failures / answers <= allowed,
    `${failures} of ${answers} answers failed since the last change, allowed ${(allowed * 100).toFixed(2)} %${gone === 0 ? '' : `; of the proxies that counted then, ${gone} ended, and what they saw is not in this`}`,
  );
});

/** Three standard deviations of a binomial share plus one point: what chance alone makes of stable buckets. */
export const shareTolerance = (share: number, clients: number): number =>
  1 + 300 * Math.sqrt(((share / 100) * (1 - share / 100)) / Math.max(1, clients));

export const shareObserved: GateCheck = withTraffic(
  'observed-share',
  (traffic, { share, evidence, name }) => {
    const { configured, observedClients, clients, pinned = 0 } = traffic.share;
    const [other] = share === null ? [] : otherShares(evidence.proxies, name, share);
    if (other)
      return gate(
        'observed-share',
        false,
        `"${other.name}" has not put ${share} % in force, it says ${other.configured === null ? 'it cannot tell' : `${other.configured} %`}`,
      );
    if (configured === null)
      return gate(
        'observed-share',
        true,
        'the flag has strategies of its own, so there is no one share to compare with',
      );
    if (observedClients === null || clients < MIN_CLIENTS)
      return gate(
        'observed-share',
        false,
        `${clients} clients seen since the last change, needed are ${MIN_CLIENTS}`,
      );
    const tolerance = shareTolerance(configured, clients);
    // Whom a pin keeps on the service is there rightly, and says nothing of whether the flag works.
    const byFlag = observedClients - (100 * pinned) / clients;
    const held = pinned === 0 ? '' : ` by the flag and ${pinned} more by their pin`;
    return gate(
      'observed-share',
      Math.abs(byFlag - configured) <= tolerance,
      `${byFlag.toFixed(1)} % of ${clients} clients went to the service${held}, configured ${configured} %, chance allows ${tolerance.toFixed(1)} points`,
    );
  },
);
