import { closenessOf, conditionsCover, conditionsMeet } from './conditions.js';
import type { Inconsistency } from './cross-check.js';
import { compareSpecificity, indexPatterns, patternCovers, type Segments } from './overlapping-patterns.js';
import { normalSegments } from './path-rules.js';
import type { PlanDocument, PlanRoute, PlanWorkflow } from './plan.js';
import type { Method } from './route-pattern.js';

/** Something in a plan that is allowed and seldom meant. */
export type RouteWarning = Inconsistency & {
  readonly code: 'ROUTE_UNREACHABLE' | 'ROUTE_OVERLAP' | 'PAGE_AND_FORM_APART' | 'WORKFLOW_SPLIT';
};

type Placed = PlanRoute & {
  readonly migration: string;
  readonly path: readonly (string | number)[];
  readonly segments: Segments;
};

const nameOf = ({ match, migration }: Placed): string => `"${match.text}" of "${migration}"`;
const takes = ({ match }: Placed, method: Method): boolean =>
  match.methods.includes(method) || match.methods.includes('*');
const shareMethod = (one: Placed, other: Placed): boolean =>
  one.match.methods.some((method) => takes(other, method)) || one.match.methods.includes('*');
const covers = (wide: Placed, narrow: Placed): boolean =>
  patternCovers(wide.segments, narrow.segments) && conditionsCover(wide.when, narrow.when);

/** The order the proxy matches in, for routes a request can fit together. Named methods before `*` come last of all. */
const precedence = (one: Placed, other: Placed): number =>
  one.order - other.order ||
  compareSpecificity(one.segments, other.segments) ||
  closenessOf(other.when) - closenessOf(one.when) ||
  Number(one.match.methods.includes('*')) - Number(other.match.methods.includes('*'));

const hasSameTreatment = (one: Placed, other: Placed): boolean =>
  one.shadow === other.shadow &&
  [one.compare, one.transform, one.grpc].every(
    (rules, index) =>
      JSON.stringify(rules) === JSON.stringify([other.compare, other.transform, other.grpc][index]),
  );

/** Warnings about the routes of a plan that is right: who takes whose requests, and what is torn apart. Pure. */
export function lintRoutes(plan: Routed): readonly RouteWarning[] {
  const placed = placedIn(plan);
  const overlapping = indexPatterns(placed);
  const found: RouteWarning[] = [];

  for (const route of placed) {
    const { path, match, migration } = route;
    const neighbours = overlapping(route.segments).filter(
      (other) => other !== route && conditionsMeet(route.when, other.when),
    );
    const before = neighbours.filter((other) => shareMethod(route, other) && precedence(other, route) < 0);

    const unreachable = whyUnreachable(route, before);
    if (unreachable) found.push({ code: 'ROUTE_UNREACHABLE', path, ...unreachable });
    else {
      // A different order says that somebody has thought about it.
      const taking = before
        .filter((other) => other.order === route.order)
        .filter(
          (other) =>
            other.migration !== migration ||
            (!covers(route, other) && !covers(other, route) && !hasSameTreatment(route, other)),
        );
      for (const name of new Set(taking.map((other) => other.migration))) {
        const others = taking.filter((other) => other.migration === name);
        const more = others.length === 1 ? '' : ` and ${others.length - 1} more of "${name}"`;
        found.push({
          code: 'ROUTE_OVERLAP',
          path,
          message: `"${match.text}" leaves some of its requests to ${nameOf(others[0] as Placed)}${more}, which is more specific`,
          remedy: 'narrow one of the two, or say by "order" which goes first',
        });
      }
    }

    const page = match.methods.includes('POST') ? foreignPage(route, neighbours) : undefined;
    if (page)
      found.push({
        code: 'PAGE_AND_FORM_APART',
        path,
        message: `"${match.text}" takes the form of the page ${nameOf(page)}`,
        remedy: 'put page and form into one migration, so that they change sides together',
      });
  }

  for (const [workflow, owners] of workflowOwners(plan))
    if (owners.size > 1)
      found.push({
        code: 'WORKFLOW_SPLIT',
        path: ['workflows', workflow],
        message: `is split: ${[...owners.values()].join(', ')}`,
        remedy:
          'put the routes a client goes through together into one migration: in canary they are diverted only when all of them would be',
      });
  return found;
}

type Routed = Pick<PlanDocument, 'migrations' | 'workflows' | 'proxy'>;

const placedIn = (plan: Routed): readonly Placed[] =>
  Object.entries(plan.migrations).flatMap(([migration, { routes }]) =>
    routes.map((route, index): Placed => ({
      ...route,
      migration,
      path: ['migrations', migration, 'routes', index],
      segments: normalSegments(route.match, plan.proxy.paths),
    })),
  );

/**
 * Of each workflow the migrations that take requests of it, each with the first pattern that says so, as a sentence; under the
 * name `''` the first pattern of which some belong to no migration.
 */
export function workflowOwners(plan: Routed): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const overlapping = indexPatterns(placedIn(plan));
  const ownersOf = ({ routes: patterns }: PlanWorkflow): ReadonlyMap<string, string> => {
    const owners = new Map<string, string>();
    for (const pattern of patterns) {
      const segments = normalSegments(pattern, plan.proxy.paths);
      const routes = overlapping(segments).toSorted(precedence);
      for (const method of pattern.methods) {
        const takers = routes.filter((route) => method === '*' || takes(route, method));
        const last = takers.findIndex(
          (route) =>
            takes(route, method) && route.when.length === 0 && patternCovers(route.segments, segments),
        );
        for (const { migration } of last < 0 ? takers : takers.slice(0, last + 1))
          if (!owners.has(migration)) owners.set(migration, `"${pattern.text}" belongs to "${migration}"`);
        if (last < 0 && !owners.has('')) owners.set('', `"${pattern.text}" belongs to no migration`);
      }
    }
    return owners;
  };
  return new Map(Object.entries(plan.workflows).map(([name, workflow]) => [name, ownersOf(workflow)]));
}

// What no request line has raw: proxies and servers agree on printable ASCII only.
const UNWRITABLE = /[^\u0021-\u007e]/;

function whyUnreachable(
  route: Placed,
  before: readonly Placed[],
): Pick<RouteWarning, 'message' | 'remedy'> | undefined {
  const { match } = route;
  if (match.segments.some((segment) => segment.kind === 'static' && UNWRITABLE.test(segment.text)))
    return {
      message: `"${match.text}" can never match: its path has characters that every request encodes`,
      remedy: 'match them by a parameter, for example "/:name"',
    };
  const covering = before.filter((other) => covers(other, route));
  if (!match.methods.every((method) => covering.some((other) => takes(other, method)))) return undefined;
  return {
    message: `"${match.text}" can never match: all its requests go to ${covering.map(nameOf).join(' and ')}, by their order`,
    remedy: 'give it a lower "order", or leave it out',
  };
}

/** The route of another migration that answers GET where `form` takes POST. What a rest takes is not taken for a page. */
function foreignPage(form: Placed, neighbours: readonly Placed[]): Placed | undefined {
  const pages = [form, ...neighbours]
    .filter((page) => takes(page, 'GET') && patternCovers(page.segments, form.segments))
    .filter(({ segments }) => segments.at(-1)?.kind !== 'rest' || form.segments.at(-1)?.kind === 'rest')
    .toSorted(precedence);
  const last = pages.findIndex((page) => conditionsCover(page.when, form.when));
  return (last < 0 ? pages : pages.slice(0, last + 1)).find((page) => page.migration !== form.migration);
}
