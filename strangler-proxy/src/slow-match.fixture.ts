/** Routes and requests as a test makes them up, and the documented rules of matching written down a second time, without an index. */

export type Values = true | string | readonly string[];
export type MadeRoute = {
  readonly migration: string;
  readonly methods: readonly string[];
  /** `a`, `:` for a parameter, a last `*` for the rest, a last empty text for a slash at the end. */
  readonly segments: readonly string[];
  readonly when: {
    readonly host?: string | readonly string[];
    readonly header?: Readonly<Record<string, Values>>;
    readonly query?: Readonly<Record<string, Values>>;
    readonly cookie?: Readonly<Record<string, Values>>;
    readonly claim?: Readonly<Record<string, Values>>;
  };
  readonly order: number;
};
type Pairs = readonly (readonly [string, string])[];
export type MadeRequest = {
  readonly method: string;
  readonly path: string;
  readonly isAmbiguous: boolean;
  readonly host: string;
  readonly header: Pairs;
  readonly query: Pairs;
  readonly cookie: Pairs;
  readonly claim: Pairs;
};
export type MadeRules = { readonly case: string; readonly trailingSlash: string };

const NAMED = ['header', 'query', 'cookie', 'claim'] as const;

const withoutLastSlash = (path: string): string => (path === '/' ? path : path.replace(/\/$/, ''));

function fitsPath({ segments }: MadeRoute, path: string, rules: MadeRules): boolean {
  const isSame = rules.trailingSlash === 'same';
  const written = `/${segments.join('/')}`;
  const source = (isSame ? withoutLastSlash(written) : written)
    .replaceAll('.', '\\.')
    .replaceAll(':', '[^/]+')
    .replace('*', '[^/].*');
  return new RegExp(`^${source}$`, rules.case === 'insensitive' ? 'i' : '').test(
    isSame ? withoutLastSlash(path) : path,
  );
}

const fitsHost = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.')
    ? host
        .split('.')
        .slice(1)
        .some((_, at, rest) => rest.slice(at).join('.') === pattern.slice(2))
    : host === pattern;

function fitsConditions({ when }: MadeRoute, request: MadeRequest): boolean {
  if (when.host !== undefined && ![when.host].flat().some((pattern) => fitsHost(pattern, request.host)))
    return false;
  return NAMED.every((kind) =>
    Object.entries(when[kind] ?? {}).every(([name, wanted]) => {
      const given = request[kind].filter(([own]) => own === name).map(([, value]) => value);
      return given.length > 0 && (wanted === true || given.every((value) => [wanted].flat().includes(value)));
    }),
  );
}

/** Whether the route would take the request if it were the only one. */
export const fits = (route: MadeRoute, request: MadeRequest, rules: MadeRules): boolean =>
  !request.isAmbiguous &&
  (route.methods.includes('*') ||
    route.methods.includes(request.method) ||
    (request.method === 'HEAD' && route.methods.includes('GET'))) &&
  fitsPath(route, request.path, rules) &&
  fitsConditions(route, request);

/** What of a route counts, most important first; the smaller list goes first. */
function precedence({ order, segments, when, methods }: MadeRoute): readonly number[] {
  const kinds = segments.map((segment) => (segment === ':' ? 1 : segment === '*' ? 2 : 0));
  const wanted = NAMED.flatMap((kind) => Object.values(when[kind] ?? {}));
  const hosts = when.host === undefined ? [] : [[when.host].flat()];
  const exact =
    wanted.filter((value) => value !== true).length +
    hosts.filter((names) => names.every((name) => !name.startsWith('*.'))).length;
  return [
    order,
    ...Array.from({ length: 6 }, (_, depth) => kinds[depth] ?? 0),
    -(wanted.length + hosts.length),
    -exact,
    methods.includes('*') ? 1 : 0,
  ];
}

/** The route that takes the request: a look at every one. */
export function slowMatch(
  routes: readonly MadeRoute[],
  request: MadeRequest,
  rules: MadeRules,
): MadeRoute | undefined {
  return routes
    .filter((route) => fits(route, request, rules))
    .toSorted((one, other) => {
      const theirs = precedence(other);
      return (
        precedence(one)
          .map((number, index) => number - (theirs[index] ?? 0))
          .find((difference) => difference !== 0) ?? 0
      );
    })[0];
}
