import {
  type Comparison,
  flagOf as flagOfName,
  type Migration,
  type MigrationTraffic,
  type MismatchSample,
  type Phase,
  phaseOf,
  type Plan,
  type PlanRoute,
  type ProxyEvidence,
  type RouteEvidence,
  type RoutingState,
} from '@strangler/contracts';
import { createCleanMarks } from './clean-marks.js';
import { type Flags, noFlags } from './flags.js';
import type { Route } from './match.js';
import type { Metrics } from './metrics.js';
import { createObservedShare, type ObservedShare } from './observed-share.js';

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

export type Comparisons = {
  compared(route: Route, outcome: Comparison, mismatch?: Omit<MismatchSample, 'at'>): void;
  notCompared(route: Route, reason: string): void;
};

export type Recorder = {
  served(served: Served): void;
  /** For what a plan has compared. It is let go when a newer plan has the route compared in another way, or not at all. */
  comparisons(plan: Plan): Comparisons;
  /**
   * To be called when a plan is put into force. Routes and migrations that remain keep their counts; comparisons of a route
   * begin anew when what is compared, or how, is not the same any more.
   */
  follow(plan: Plan, flags: RecordFlags, state: RoutingState): void;
  /** To be called when a phase or a flag may have changed: shares count from there, comparisons from the begin of a shadow. */
  changed(state: RoutingState): void;
  migrations(): ProxyEvidence['migrations'];
  requests(): ProxyEvidence['requests'];
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Counts = {
  readonly comparedAs: string;
  readonly served: Mutable<RouteEvidence['served']>;
  /** When legacy has last answered on it, milliseconds since the epoch; 0: not yet. */
  legacyAt: number;
  comparisons: { [K in Comparison]: number };
  cleanSinceMismatch: number;
  lastMismatchAt: string | null;
  notCompared: { [reason: string]: number };
  samples: MismatchSample[];
  marks: ReturnType<typeof createCleanMarks>;
};

const noComparisons = () => ({
  comparisons: { match: 0, mismatch: 0, ignored: 0, inconclusive: 0 },
  cleanSinceMismatch: 0,
  lastMismatchAt: null,
  notCompared: {},
  samples: [],
  marks: createCleanMarks(),
});

export type RecordFlags = Pick<Flags, 'definition' | 'share'>;
export type RecordOptions = { readonly metrics: Metrics; readonly now: () => number };

type Kept = {
  phase: Phase;
  definition: string;
  readonly share: ObservedShare;
  serviceFailures: number;
  readonly routes: ReadonlyMap<string, Counts>;
};

/** What a comparison of the route says something of. */
const comparedAs = (plan: Plan, { upstream, compare }: Migration, route: PlanRoute): string =>
  JSON.stringify([route.compare ?? compare, plan.upstreams[upstream]?.url, plan.upstreams['legacy']?.url]);

/** Keeps the evidence that gates and reports read. Bounded by the plan: routes, reasons and samples. */
export function createRecord({ metrics, now }: RecordOptions): Recorder {
  let kept: ReadonlyMap<string, Kept> = new Map();
  let flags: RecordFlags = noFlags;
  let flagOf: (migration: string) => string = flagOfName;
  let mostSamples = 0;
  const requests = { total: 0, failed: 0 };
  // A request that is over may belong to a route that a newer plan does not have.
  const countsOf = ({ migration, text }: Route): Counts | undefined => kept.get(migration)?.routes.get(text);
  const countsIn = (plan: Plan, migration: Migration, route: PlanRoute, before?: Counts): Counts => {
    const as = comparedAs(plan, migration, route);
    const served = before?.served ?? { legacy: 0, service: 0, fallback: 0 };
    const legacyAt = before?.legacyAt ?? 0;
    return { served, legacyAt, ...(before?.comparedAs === as ? before : noComparisons()), comparedAs: as };
  };

  return {
    served({ route, upstream, by, status, serviceFailed, failed, decidedFor, pinned, seconds }) {
      const label = route?.text ?? 'other';
      requests.total++;
      if (failed) requests.failed++;
      metrics.answers.served(label, upstream, status, seconds);
      if (!route) return;
      const migration = kept.get(route.migration);
      const counts = countsOf(route);
      if (counts && status !== null && !failed) {
        counts.served[by]++;
        if (by !== 'service') counts.legacyAt = now();
      }
      if (by === 'fallback') metrics.fallbacks.inc({ route: label });
      if (serviceFailed && migration) {
        migration.serviceFailures++;
        metrics.serviceFailures.inc({ migration: route.migration });
      }
      if (decidedFor !== undefined)
        migration?.share.count(decidedFor, by === 'service' ? 'service' : 'legacy', pinned);
    },
    comparisons(plan) {
      const judged = new Map(
        Object.values(plan.migrations).flatMap((migration) =>
          migration.routes.map((route) => [route.match.text, comparedAs(plan, migration, route)]),
        ),
      );
      const countsFor = (route: Route): Counts | undefined => {
        const counts = countsOf(route);
        return counts?.comparedAs === judged.get(route.text) ? counts : undefined;
      };
      return {
        compared(route, outcome, mismatch) {
          metrics.comparisons.inc({ route: route.text, outcome });
          const counts = countsFor(route);
          if (!counts) return;
          counts.comparisons[outcome]++;
          if (outcome === 'mismatch') {
            const at = new Date(now()).toISOString();
            counts.cleanSinceMismatch = 0;
            counts.marks.clear();
            counts.lastMismatchAt = at;
            // The newest ones: they show what is still wrong.
            const samples = mismatch ? [...counts.samples, { at, ...mismatch }] : counts.samples;
            counts.samples = samples.slice(Math.max(0, samples.length - mostSamples));
          } else if (outcome !== 'inconclusive') counts.marks.note(now(), counts.cleanSinceMismatch++);
        },
        notCompared(route, reason) {
          metrics.notCompared.inc({ route: route.text, reason });
          const counts = countsFor(route);
          if (counts) counts.notCompared[reason] = (counts.notCompared[reason] ?? 0) + 1;
        },
      };
    },
    follow(plan, planFlags, state) {
      flags = planFlags;
      flagOf = (name) => plan.migrations[name]?.flag ?? flagOfName(name);
      mostSamples = plan.proxy.shadow.samples;
      const before = kept;
      kept = new Map(
        Object.entries(plan.migrations).map(([name, migration]): [string, Kept] => {
          const old = before.get(name);
          const routes = new Map(
            migration.routes.map((route): [string, Counts] => [
              route.match.text,
              countsIn(plan, migration, route, old?.routes.get(route.match.text)),
            ]),
          );
          return [
            name,
            {
              phase: old?.phase ?? phaseOf(state, name),
              definition: old?.definition ?? flags.definition(flagOf(name)),
              share: old?.share ?? createObservedShare(now()),
              serviceFailures: old?.serviceFailures ?? 0,
              routes,
            },
          ];
        }),
      );
      this.changed(state);
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
            routes: [...routes].map(([route, { comparedAs: _comparedAs, marks, legacyAt, ...counts }]) => ({
              route,
              ...structuredClone(counts),
              legacyAt: legacyAt === 0 ? null : new Date(legacyAt).toISOString(),
              cleanMarks: marks.read(),
            })),
          },
        ]),
      ),
    requests: () => ({ ...requests }),
  };
}
