import {
  type Comparison,
  type MigrationTraffic,
  type MismatchSample,
  phaseOf,
  type Plan,
  type ProxyEvidence,
  type RouteEvidence,
  type RoutingState,
} from '@strangler/contracts';
import type { Flags } from './flags.js';
import type { Route } from './match.js';
import type { Metrics } from './metrics.js';
import { createObservedShare } from './observed-share.js';

/** A request that has been answered, or cannot be any more. */
export type Served = {
  readonly route: Route | undefined;
  /** Name of the upstream that answered. */
  readonly upstream: string;
  readonly by: 'legacy' | 'service' | 'fallback';
  /** null: the client left, or the answer was cut. */
  readonly status: number | null;
  /** The service was asked for this client and gave 500 and above, or nothing. */
  readonly serviceFailed: boolean;
  /** The proxy itself had to give the answer, or the answer was cut. */
  readonly failed: boolean;
  /** What the flag told the client apart by, when it decided. */
  readonly decidedFor: string | undefined;
  /** Only its pin brought the client to the service. */
  readonly pinned: boolean;
  readonly seconds: number;
};

export type Recorder = {
  served(served: Served): void;
  compared(route: Route, outcome: Comparison, mismatch?: Omit<MismatchSample, 'at'>): void;
  notCompared(route: Route, reason: string): void;
  /** To be called when a phase or a flag may have changed: shares count from there, comparisons from the begin of a shadow. */
  changed(state: RoutingState): void;
  migrations(): ProxyEvidence['migrations'];
  requests(): ProxyEvidence['requests'];
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Counts = {
  readonly served: Mutable<RouteEvidence['served']>;
  comparisons: { [K in Comparison]: number };
  cleanSinceMismatch: number;
  lastMismatchAt: string | null;
  notCompared: { [reason: string]: number };
  samples: MismatchSample[];
};

const noComparisons = () => ({
  comparisons: { match: 0, mismatch: 0, ignored: 0, inconclusive: 0 },
  cleanSinceMismatch: 0,
  lastMismatchAt: null,
  notCompared: {},
  samples: [],
});

export type RecordOptions = {
  readonly plan: Plan;
  readonly flags: Pick<Flags, 'definition' | 'share'>;
  readonly flagOf: (migration: string) => string;
  readonly metrics: Metrics;
  readonly state: RoutingState;
  readonly now: () => number;
};

/** Keeps the evidence that gates and reports read. Bounded by the plan: routes, reasons and samples. */
export function createRecord({ plan, flags, flagOf, metrics, state, now }: RecordOptions): Recorder {
  const kept = new Map(
    Object.entries(plan.migrations).map(([name, { routes }]) => [
      name,
      {
        phase: phaseOf(state, name),
        definition: flags.definition(flagOf(name)),
        share: createObservedShare(now()),
        serviceFailures: 0,
        routes: new Map(
          routes.map(({ match }): [string, Counts] => [
            match.text,
            { served: { legacy: 0, service: 0, fallback: 0 }, ...noComparisons() },
          ]),
        ),
      },
    ]),
  );
  const requests = { total: 0, failed: 0 };
  const countsOf = ({ migration, text }: Route): Counts => kept.get(migration)?.routes.get(text) as Counts;

  return {
    served({ route, upstream, by, status, serviceFailed, failed, decidedFor, pinned, seconds }) {
      const label = route?.text ?? 'other';
      requests.total++;
      if (failed) requests.failed++;
      metrics.answers.served(label, upstream, status, seconds);
      if (!route) return;
      const migration = kept.get(route.migration);
      if (status !== null && !failed) countsOf(route).served[by]++;
      if (by === 'fallback') metrics.fallbacks.inc({ route: label });
      if (serviceFailed && migration) {
        migration.serviceFailures++;
        metrics.serviceFailures.inc({ migration: route.migration });
      }
      if (decidedFor !== undefined)
        migration?.share.count(decidedFor, by === 'service' ? 'service' : 'legacy', pinned);
    },
    compared(route, outcome, mismatch) {
      const counts = countsOf(route);
      counts.comparisons[outcome]++;
      metrics.comparisons.inc({ route: route.text, outcome });
      if (outcome === 'mismatch') {
        const at = new Date(now()).toISOString();
        counts.cleanSinceMismatch = 0;
        counts.lastMismatchAt = at;
        // The newest ones: they show what is still wrong.
        const samples = mismatch ? [...counts.samples, { at, ...mismatch }] : counts.samples;
        counts.samples = samples.slice(Math.max(0, samples.length - plan.proxy.shadow.samples));
      } else if (outcome !== 'inconclusive') counts.cleanSinceMismatch++;
    },
    notCompared(route, reason) {
      const counts = countsOf(route);
      counts.notCompared[reason] = (counts.notCompared[reason] ?? 0) + 1;
      metrics.notCompared.inc({ route: route.text, reason });
    },
    changed(next) {
      for (const [name, migration] of kept) {
        const phase = phaseOf(next, name);
        const definition = flags.definition(flagOf(name));
        if (phase === migration.phase && definition === migration.definition) continue;
        migration.share.reset(now());
        // A new shadow judges a new copy of the data and perhaps a repaired service: nothing old may speak for it.
        if (phase === 'shadow' && migration.phase !== 'canary' && migration.phase !== 'shadow')
          for (const counts of migration.routes.values()) Object.assign(counts, noComparisons());
        Object.assign(migration, { phase, definition });
      }
    },
    migrations: () =>
      Object.fromEntries(
        [...kept].map(([name, { phase, share, serviceFailures, routes }]): [string, MigrationTraffic] => [
          name,
          {
            phase,
            share: { configured: flags.share(flagOf(name)), ...share.read() },
            serviceFailures,
            routes: [...routes].map(([route, counts]) => ({ route, ...structuredClone(counts) })),
          },
        ]),
      ),
    requests: () => ({ ...requests }),
  };
}
