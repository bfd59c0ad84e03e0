import type { Difference, Migration, MigrationTraffic, RouteEvidence } from '@strangler/contracts';
import { percentAtMost, ruleOfThree } from './rule-of-three.js';

/** Only reads of routes with shadow are sent to both sides. */
export const isCompared = (route: Migration['routes'][number]): boolean =>
  route.shadow && (route.match.methods.includes('GET') || route.match.methods.includes('*'));

export const noEvidenceOf = (route: string): RouteEvidence => ({
  route,
  served: { legacy: 0, service: 0, fallback: 0 },
  comparisons: { match: 0, mismatch: 0, ignored: 0, inconclusive: 0 },
  cleanSinceMismatch: 0,
  lastMismatchAt: null,
  notCompared: {},
  samples: [],
});

/** One entry for each compared route of the plan, also for those nobody has asked for yet. */
export const comparedRoutes = (
  migration: Migration,
  traffic: MigrationTraffic | undefined,
): readonly RouteEvidence[] =>
  migration.routes
    .filter(isCompared)
    .map(
      ({ match }) => traffic?.routes.find(({ route }) => route === match.text) ?? noEvidenceOf(match.text),
    );

const DIFFERENCES: Readonly<Record<Difference['kind'], (difference: Difference) => string>> = {
  missing: ({ control }) => `is missing from the service's answer, legacy says ${control}`,
  extra: ({ candidate }) => `is only in the service's answer: ${candidate}`,
  type: ({ control, candidate }) => `differs in type: legacy says ${control}, the service ${candidate}`,
  value: ({ control, candidate }) => `differs: legacy says ${control}, the service ${candidate}`,
  length: ({ control, candidate }) => `differs in length: legacy says ${control}, the service ${candidate}`,
};

export const differenceText = (difference: Difference): string =>
  `"${difference.path}" ${DIFFERENCES[difference.kind](difference)}`;

/** The newest sample of a route as a sentence: request, first difference, how many more. */
export function firstDifference(route: RouteEvidence): string | null {
  const sample = route.samples.toSorted((a, b) => b.at.localeCompare(a.at))[0];
  const [first, ...more] = sample?.differences ?? [];
  if (sample === undefined || first === undefined) return null;
  return `${sample.request}: ${differenceText(first)}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
}

const bound = (clean: number): string => {
  const rate = ruleOfThree(clean);
  return rate === 1 ? 'too few to bound the true rate' : `true rate under ${percentAtMost(rate)} at 95 %`;
};
const lastWasMismatch = (mismatches: number) =>
  mismatches === 0 ? 'nothing compared yet' : `the last comparison was a mismatch, ${mismatches} in all`;

/** What the comparisons of one route allow to say. */
export const routeVerdict = ({
  cleanSinceMismatch: clean,
  comparisons: { mismatch },
}: RouteEvidence): string =>
  clean === 0
    ? lastWasMismatch(mismatch)
    : `0 mismatches in the last ${clean} comparisons: ${bound(clean)}${mismatch === 0 ? '' : `; ${mismatch} before`}`;

/** What the comparisons of several routes allow to say together. Each has its own last mismatch, so they share none. */
export function verdict(routes: readonly RouteEvidence[]): string {
  const clean = cleanOf(routes);
  const mismatches = routes.reduce((sum, { comparisons }) => sum + comparisons.mismatch, 0);
  if (clean === 0) return lastWasMismatch(mismatches);
  return mismatches === 0
    ? `0 mismatches in the last ${clean} comparisons: ${bound(clean)}`
    : `0 mismatches in ${clean} comparisons since the last one of each route: ${bound(clean)}; ${mismatches} before`;
}

export const cleanOf = (routes: readonly RouteEvidence[]): number =>
  routes.reduce((sum, { cleanSinceMismatch }) => sum + cleanSinceMismatch, 0);
