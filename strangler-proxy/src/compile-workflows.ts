import {
  flagOf,
  indexPatterns,
  normalSegments,
  type Plan,
  type RoutePattern,
  type Segments,
  workflowOwners,
} from '@strangler/contracts';

/** A workflow of the plan with what decides over it. Workflows that share requests are one: else a client would be on two sides in one of them. */
export type Workflow = {
  /** Of several that are one: their names, joined by `+`. */
  readonly name: string;
  readonly idleMs: number;
  /** Writes belong to it, so its reads stay where these go. */
  readonly hasWrites: boolean;
  /** Those of its requests that no migration takes stay on legacy, and so does the rest of it. */
  readonly isWhole: boolean;
  /** All migrations that take requests of it, in the order of the plan. */
  readonly migrations: readonly { readonly name: string; readonly flag: string }[];
  /** Whether a request belongs to it. `path` is in the spelling of the plan's path rules. */
  takes(method: string, path: string): boolean;
};

type Pattern = {
  readonly workflow: string;
  readonly methods: ReadonlySet<string>;
  readonly segments: Segments;
};

// What changes nothing can go either way.
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Answers the workflows that requests of a route may belong to, each to one at most: none for most routes, and then nothing is looked at when they come. */
export function compileWorkflows(
  plan: Pick<Plan, 'migrations' | 'proxy' | 'workflows'>,
): (route: RoutePattern) => readonly Workflow[] {
  const patterns = Object.entries(plan.workflows).flatMap(([workflow, { routes }]) =>
    routes.map((route): Pattern => ({
      workflow,
      methods: new Set(route.methods),
      segments: normalSegments(route, plan.proxy.paths),
    })),
  );
  const overlapping = indexPatterns(patterns);
  const owners = workflowOwners(plan);
  const compiled = new Map<string, Workflow>();
  for (const names of joined(patterns, overlapping)) {
    const owned = new Set(names.flatMap((name) => [...(owners.get(name)?.keys() ?? [])]));
    const own = patterns.filter(({ workflow }) => names.includes(workflow));
    const workflow: Workflow = {
      name: names.join('+'),
      idleMs: Math.max(...names.map((name) => plan.workflows[name]?.idleMs ?? 0)),
      hasWrites: own.some(({ methods }) => [...methods].some((method) => !SAFE.has(method))),
      isWhole: !owned.has(''),
      migrations: Object.entries(plan.migrations)
        .filter(([migration]) => owned.has(migration))
        .map(([migration, { flag = flagOf(migration) }]) => ({ name: migration, flag })),
      takes(method, path) {
        const parts = path === '/' ? [] : path.slice(1).split('/');
        return own.some(
          ({ methods, segments }) => (methods.has(method) || methods.has('*')) && fits(segments, parts),
        );
      },
    };
    for (const name of names) compiled.set(name, workflow);
  }
  return (route) => [
    ...new Set(
      overlapping(normalSegments(route, plan.proxy.paths))
        .filter((pattern) => shareMethod(pattern, { methods: new Set(route.methods) }))
        .map(({ workflow }) => compiled.get(workflow) as Workflow),
    ),
  ];
}

const shareMethod = (one: Pick<Pattern, 'methods'>, other: Pick<Pattern, 'methods'>): boolean =>
  one.methods.has('*') ||
  other.methods.has('*') ||
  [...one.methods].some((method) => other.methods.has(method));

/** The names of the workflows, those together that share requests with each other, or with one that does. */
function joined(
  patterns: readonly Pattern[],
  overlapping: (segments: Segments) => readonly Pattern[],
): readonly (readonly string[])[] {
  const sets = new Map(patterns.map(({ workflow }) => [workflow, new Set([workflow])]));
  for (const pattern of patterns)
    for (const other of overlapping(pattern.segments)) {
      const [mine, theirs] = [sets.get(pattern.workflow), sets.get(other.workflow)];
      if (!mine || !theirs || mine === theirs || !shareMethod(pattern, other)) continue;
      for (const name of theirs) sets.set(name, mine.add(name));
    }
  return [...new Set(sets.values())].map((names) => [...names].toSorted());
}

/** As the table of routes matches. */
function fits(pattern: Segments, path: readonly string[]): boolean {
  for (const [depth, segment] of pattern.entries()) {
    const part = path[depth];
    if (segment.kind === 'rest') return part !== undefined && part !== '';
    if (segment.kind === 'param' ? !part : segment.text !== part) return false;
  }
  return pattern.length === path.length;
}
