import type { CompareRules, Plan, RoutePattern } from '@strangler/contracts';
import { flagOf } from '@strangler/contracts';

/** A route of the plan with what the flow needs of its migration. */
export type Route = {
  /** The pattern as the plan writes it. */
  readonly text: string;
  readonly migration: string;
  readonly upstream: string;
  readonly flag: string;
  readonly shadow: boolean;
  readonly compare: CompareRules;
};

/** A trie of path segments: the cost of a match hangs on the depth of the path, not on the number of routes. */
export type RouteTable = {
  readonly statics: Map<string, RouteTable>;
  param: RouteTable | undefined;
  readonly here: Map<string, Route>;
  readonly rest: Map<string, Route>;
};

export type Matched = {
  readonly route: Route | undefined;
  /** Nodes of the table that were looked at. */
  readonly visited: number;
};

const emptyTable = (): RouteTable => ({
  statics: new Map(),
  param: undefined,
  here: new Map(),
  rest: new Map(),
});

/** Compiled once for each plan. */
export function compileRoutes(plan: Pick<Plan, 'migrations'>): RouteTable {
  const table = emptyTable();
  for (const [migration, { upstream, flag = flagOf(migration), routes, compare }] of Object.entries(
    plan.migrations,
  ))
    for (const { match: pattern, shadow, compare: own = compare } of routes)
      insert(table, pattern, { text: pattern.text, migration, upstream, flag, shadow, compare: own });
  return table;
}

function insert(table: RouteTable, pattern: RoutePattern, route: Route): void {
  let node = table;
  let leaf = node.here;
  for (const segment of pattern.segments) {
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
    leaf = node.here;
  }
  for (const method of pattern.methods) leaf.set(method, route);
}

/**
 * The most specific route for method and path: segment by segment a static one wins over a parameter and that over the rest
 * of the path; a branch that ends without the method is left again. Segments compare byte for byte.
 */
export function match(table: RouteTable, method: string, path: string | null): Matched {
  if (path === null) return { route: undefined, visited: 0 };
  const segments = path === '/' ? [] : path.slice(1).split('/');
  let visited = 0;
  const seek = (node: RouteTable, depth: number): Route | undefined => {
    visited++;
    const segment = segments[depth];
    if (segment === undefined) return node.here.get(method) ?? node.here.get('*');
    const fixed = node.statics.get(segment);
    const found =
      (fixed && seek(fixed, depth + 1)) ??
      (segment !== '' && node.param ? seek(node.param, depth + 1) : undefined);
    return found ?? (segment === '' ? undefined : (node.rest.get(method) ?? node.rest.get('*')));
  };
  return { route: seek(table, 0), visited };
}
