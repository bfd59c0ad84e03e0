import type {
  CompareRules,
  GrpcRules,
  PathRules,
  Plan,
  PlanRoute,
  RateLimit,
  RouteLimits,
  Segment,
  TransformRules,
} from '@strangler/contracts';
import { closenessOf, flagOf, normalSegments } from '@strangler/contracts';
import { compileWorkflows, type Workflow } from './compile-workflows.js';
import { compileConditions, type Fulfil } from './fulfil.js';
import { type Asked, type Facts, readFacts } from './request-facts.js';
import { guardOf, type RouteGuard } from './route-guard.js';

/** A route of the plan with what the flow needs of its migration. */
export type Route = {
  /** The pattern as the plan writes it. */
  readonly text: string;
  readonly migration: string;
  readonly upstream: string;
  readonly flag: string;
  readonly shadow: boolean;
  readonly compare: CompareRules;
  /** What is done to requests on their way to the service; a route without is plain in this. */
  readonly guard?: RouteGuard | undefined;
  readonly transform?: { readonly rules: TransformRules; readonly segments: readonly Segment[] } | undefined;
  readonly grpc?: { readonly rules: GrpcRules; readonly segments: readonly Segment[] } | undefined;
  /** Its requests may belong to one of these, and then not the flag alone decides. */
  readonly workflows: readonly Workflow[];
  readonly limits?: RouteLimits | undefined;
  readonly rateLimit?: RateLimit | undefined;
};

/** A route at its place in the table. */
type Candidate = {
  readonly route: Route;
  readonly order: number;
  readonly closeness: number;
  readonly fulfil: Fulfil | undefined;
};

/** The routes of one path shape by method, the one to look at first in front. */
type Leaf = Map<string, Candidate[]>;

/** A trie of path segments: the cost of a match hangs on the depth of the path, not on the number of routes. */
export type RouteTable = {
  readonly statics: Map<string, RouteTable>;
  param: RouteTable | undefined;
  readonly here: Leaf;
  readonly rest: Leaf;
  /** The lowest order in and below this node: what cannot go before the route found already is not looked at. */
  lowest: number;
};

export type Matched = {
  readonly route: Route | undefined;
  /** Nodes of the table that were looked at. */
  readonly visited: number;
  /** Routes whose conditions were looked at. */
  readonly weighed: number;
};

const emptyTable = (): RouteTable => ({
  statics: new Map(),
  param: undefined,
  here: new Map(),
  rest: new Map(),
  lowest: Infinity,
});

/** Compiled once for each plan. */
export function compileRoutes(plan: Pick<Plan, 'migrations' | 'proxy' | 'workflows'>): RouteTable {
  const workflowsOf = compileWorkflows(plan);
  const table = emptyTable();
  for (const [
    migration,
    { upstream, flag = flagOf(migration), routes, compare, ...asking },
  ] of Object.entries(plan.migrations))
    for (const planned of routes) {
      const { match: pattern, shadow, compare: own = compare, limits, rateLimit } = planned;
      const guard = guardOf(plan.proxy, asking, planned);
      const { segments, text } = pattern;
      const transform = planned.transform && { rules: planned.transform, segments };
      const grpc = planned.grpc && { rules: planned.grpc, segments };
      const route: Route = {
        text,
        migration,
        upstream,
        flag,
        shadow,
        compare: own,
        guard,
        transform,
        grpc,
        workflows: workflowsOf(pattern),
        limits,
        rateLimit,
      };
      insert(table, planned, route, plan.proxy.paths);
    }
  sort(table);
  return table;
}

function insert(
  table: RouteTable,
  { match: pattern, when, order }: PlanRoute,
  route: Route,
  paths: PathRules,
): void {
  let node = table;
  let leaf = node.here;
  node.lowest = Math.min(node.lowest, order);
  for (const segment of normalSegments(pattern, paths)) {
    if (segment.kind === 'rest') {
      leaf = node.rest;
      break;
    }
    if (segment.kind === 'param') node = node.param ??= emptyTable();
    else {
      const next = node.statics.get(segment.text) ?? emptyTable();
      node.statics.set(segment.text, next);
      node = next;
    }
    node.lowest = Math.min(node.lowest, order);
    leaf = node.here;
  }
  const candidate = { route, order, closeness: closenessOf(when), fulfil: compileConditions(when) };
  for (const method of pattern.methods) {
    const candidates = leaf.get(method);
    if (candidates) candidates.push(candidate);
    else leaf.set(method, [candidate]);
  }
}

function sort({ statics, param, here, rest }: RouteTable): void {
  for (const leaf of [here, rest]) for (const candidates of leaf.values()) candidates.sort(precedence);
  for (const child of statics.values()) sort(child);
  if (param) sort(param);
}

const precedence = (one: Candidate, other: Candidate): number =>
  one.order - other.order || other.closeness - one.closeness;

const NOTHING_ELSE: Asked = { headers: [], cookies: '', target: '' };

/**
 * The route for a request. The lowest order goes first; of one order the most specific path: segment by segment a static one wins
 * over a parameter and that over the rest of the path, and a branch that ends without a route is left again; of one path the
 * most conditions, and of as many the most that name a value; a method that is named before `*`. `path` is unambiguous and in the
 * spelling of the plan's path rules; segments compare byte for byte.
 */
export function match(table: RouteTable, method: string, path: string | null, asked = NOTHING_ELSE): Matched {
  if (path === null) return { route: undefined, visited: 0, weighed: 0 };
  const segments = path === '/' ? [] : path.slice(1).split('/');
  const search: Search = {
    method,
    segments,
    asked,
    facts: undefined,
    found: undefined,
    visited: 0,
    weighed: 0,
  };
  seek(search, table, 0);
  const { found, visited, weighed } = search;
  return { route: found?.route, visited, weighed };
}

/** One object and no closures: this is done for each request. */
type Search = {
  readonly method: string;
  readonly segments: readonly string[];
  readonly asked: Asked;
  facts: Facts | undefined;
  found: Candidate | undefined;
  visited: number;
  weighed: number;
};

function seek(search: Search, node: RouteTable, depth: number): void {
  // Branches are walked from the most specific on, so a later one wins by its order alone.
  if (search.found && node.lowest >= search.found.order) return;
  search.visited++;
  const segment = search.segments[depth];
  if (segment === undefined) return take(search, node.here);
  const fixed = node.statics.get(segment);
  if (fixed) seek(search, fixed, depth + 1);
  if (segment === '') return;
  if (node.param) seek(search, node.param, depth + 1);
  if (!search.found || node.lowest < search.found.order) take(search, node.rest);
}

function take(search: Search, leaf: Leaf): void {
  if (leaf.size === 0) return;
  const named = firstOf(search, leaf.get(search.method));
  const any = firstOf(search, leaf.get('*'));
  const best = named && any ? (precedence(named, any) <= 0 ? named : any) : (named ?? any);
  if (best && (!search.found || best.order < search.found.order)) search.found = best;
}

/** Plain loops: nearly every leaf has one candidate, and none that asks for more than its path. */
function firstOf(search: Search, candidates: readonly Candidate[] | undefined): Candidate | undefined {
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) {
    if (!candidate.fulfil) return candidate;
    search.weighed++;
    if (candidate.fulfil((search.facts ??= readFacts(search.asked)))) return candidate;
  }
  return undefined;
}
