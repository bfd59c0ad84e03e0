import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan, StranglerError } from '@strangler/contracts';
import * as fc from 'fast-check';
import { accept } from './accept.js';
import { decide } from './decide.js';
import { compileRoutes, match, type RouteTable } from './match.js';
import { SECRET } from './proxy.fixture.js';
import {
  fits,
  type MadeRequest,
  type MadeRoute,
  type MadeRules,
  slowMatch,
  type Values,
} from './slow-match.fixture.js';

const SEED = 20_261_123;

const values = fc.constantFrom<Values[]>(true, true, '1', '2', ['1', '2']);
const named = fc.dictionary(fc.constantFrom('n', 'm'), values, {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
});
const hosts = fc.constantFrom('a.test', '*.test', 'b.a.test', '*.a.test', ['a.test', 'c.test']);
const when: fc.Arbitrary<MadeRoute['when']> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .subarray(['host', 'header', 'query', 'cookie', 'claim'], { minLength: 1, maxLength: 2 })
      .chain((kinds) =>
        fc.record(Object.fromEntries(kinds.map((kind) => [kind, kind === 'host' ? hosts : named]))),
      ),
  },
);
const aRoute: fc.Arbitrary<MadeRoute> = fc
  .record({
    migration: fc.constantFrom('one', 'two', 'three'),
    methods: fc.constantFrom(['GET'], ['GET'], ['POST'], ['HEAD'], ['*'], ['GET', 'POST'], ['PUT', '*']),
    path: fc.array(fc.constantFrom('a', 'a', 'b', 'A', 'b.c', ':', ':', ':'), {
      maxLength: 3,
      size: 'max',
    }),
    tail: fc.constantFrom([], [], ['*'], ['']),
    when,
    order: fc.constantFrom(0, 0, 0, -1, 1),
  })
  .map(({ path, tail, ...rest }) => ({
    ...rest,
    segments: path.length + tail.length === 0 ? [''] : [...path, ...tail],
  }));
const someRoutes = fc.array(aRoute, { minLength: 1, maxLength: 14, size: 'max' });
const someRules: fc.Arbitrary<MadeRules> = fc.record({
  case: fc.constantFrom('sensitive', 'insensitive'),
  trailingSlash: fc.constantFrom('distinct', 'same'),
});

/** Ways to write a path that two servers read differently. */
const DISGUISES: readonly ((path: string) => string)[] = [
  (path) => path.replace('/', '//'),
  (path) => `${path}/%2fa`,
  (path) => `${path}%5Ca`,
  (path) => `${path}\\a`,
  (path) => `${path};v=1`,
  (path) => `/x/..${path}`,
  (path) => `/%2e${path}`,
  (path) => `${path}/.`,
  (path) => `${path}/%61`,
  (path) => `${path}%00`,
  (path) => `${path}/%zz`,
  (path) => `${path}/%252e`,
  (path) => `${path}/%c3`,
];
const pairs = fc.array(fc.tuple(fc.constantFrom('n', 'm'), fc.constantFrom('1', '1', '2', '3')), {
  maxLength: 3,
});
const aRequest: fc.Arbitrary<MadeRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PURGE'),
    segments: fc.array(fc.constantFrom('a', 'a', 'a', 'b', 'A', 'b.c', 'bxc', '%C3%A9'), {
      maxLength: 4,
      size: 'max',
    }),
    endsWithSlash: fc.constantFrom(false, false, true),
    disguise: fc.option(fc.constantFrom(...DISGUISES), { nil: undefined, freq: 5 }),
    host: fc.constantFrom('a.test', 'b.a.test', 'c.test', 'other'),
    header: pairs,
    query: pairs,
    cookie: pairs,
    claim: fc.uniqueArray(fc.tuple(fc.constantFrom('n', 'm'), fc.constantFrom('1', '2', '3')), {
      selector: ([name]) => name,
    }),
  })
  .map(({ segments, endsWithSlash, disguise, ...rest }) => {
    const path = `/${segments.join('/')}${endsWithSlash && segments.length > 0 ? '/' : ''}`;
    return { ...rest, path: disguise ? disguise(path) : path, isAmbiguous: disguise !== undefined };
  });

/** The same request on its way to a route: with its method and path, and all that it asks for, or as much of it as there was. */
function aim(
  request: MadeRequest,
  { methods, segments, when: wanted }: MadeRoute,
  fully: boolean,
): MadeRequest {
  const [method = '*'] = methods;
  const path = `/${segments.map((text) => (text === ':' ? 'a' : text === '*' ? 'a/b' : text)).join('/')}`;
  const there = {
    ...request,
    path,
    isAmbiguous: false,
    method: method === '*' ? request.method : method,
  };
  if (!fully) return there;
  const given = (kind: 'header' | 'query' | 'cookie' | 'claim') =>
    Object.entries(wanted[kind] ?? {}).map(
      ([name, value]) => [name, value === true ? '3' : ([value].flat()[0] ?? '')] as const,
    );
  const [name = request.host] = [wanted.host ?? request.host].flat();
  return {
    ...there,
    host: name.replace(/^\*\.(?:a\.)?/, 'b.a.'),
    header: given('header'),
    query: given('query'),
    cookie: given('cookie'),
    claim: given('claim'),
  };
}
const someRequestsFor = (routes: readonly MadeRoute[]): fc.Arbitrary<MadeRequest[]> => {
  const aimed = fc.tuple(aRequest, fc.constantFrom(...routes), fc.boolean()).map((parts) => aim(...parts));
  return fc.array(fc.oneof({ weight: 2, arbitrary: aimed }, aRequest), {
    minLength: 5,
    maxLength: 25,
    size: 'max',
  });
};
/** Routes, a route to be added to them, rules, and requests of which many are meant for one of these routes. */
const aScene = fc.tuple(someRoutes, aRoute, someRules).chain(([routes, made, rules]) => {
  const added = { ...made, migration: 'added' };
  return fc.record({
    routes: fc.constant(routes),
    added: fc.constant(added),
    rules: fc.constant(rules),
    requests: someRequestsFor([...routes, added]),
  });
});

const patternOf = ({ methods, segments }: MadeRoute): string =>
  `${methods.join(',')} /${segments.map((segment, index) => (segment === ':' ? `:p${index}` : segment)).join('/')}`;

function load(routes: readonly MadeRoute[], paths: object) {
  const names = [...new Set(routes.map(({ migration }) => migration))];
  const document = {
    version: 1,
    proxy: { listen: '127.0.0.1:0', secret: '!env SECRET', paths },
    control: { ledger: '!env LEDGER' },
    flags: { file: 'flags.json' },
    upstreams: Object.fromEntries(['legacy', ...names].map((name) => [name, 'http://127.0.0.1:1'])),
    migrations: Object.fromEntries(
      names.map((name) => [
        name,
        {
          owner: 'team',
          upstream: name,
          routes: routes
            .filter(({ migration }) => migration === name)
            .map((route) => ({ match: patternOf(route), when: route.when, order: route.order })),
        },
      ]),
    ),
  };
  const text = JSON.stringify(document).replaceAll(/"(!env \w+)"/g, '$1');
  return parsePlan(text, 'plan.yaml', { SECRET, LEDGER: 'mysql://u:p@127.0.0.1:1/ledger' });
}

type Loaded = {
  readonly routes: readonly MadeRoute[];
  readonly plan: Plan;
  readonly unreachable: readonly string[];
  readonly losing: readonly string[];
};

/** A plan of those routes that it takes: one that is in conflict with another is left out, as its author would have to. */
function settle(routes: readonly MadeRoute[], rules: object): Loaded {
  const loaded = load(routes, rules);
  if (loaded.ok) {
    const places = (code: string) =>
      loaded
        .warnings()
        .filter((warning) => warning.code === code)
        .map(({ path }) => path);
    return {
      routes,
      plan: loaded.plan,
      unreachable: places('ROUTE_UNREACHABLE'),
      losing: places('ROUTE_OVERLAP'),
    };
  }
  const refused = new Set(
    loaded.problems.map(({ code, path }) => (code === 'PLAN_INCONSISTENT' ? path : `${code} ${path}`)),
  );
  const kept = routes.filter((route) => !refused.delete(placeOf(route, routes)));
  expect([...refused]).toEqual([]);
  return settle(kept, rules);
}

const placeOf = (route: MadeRoute, routes: readonly MadeRoute[]): string =>
  `migrations.${route.migration}.routes[${routes.filter(({ migration }) => migration === route.migration).indexOf(route)}]`;
const nameOf = (route: MadeRoute | undefined, { plan, routes }: Loaded): string => {
  if (!route) return 'nobody';
  const { migration } = route;
  const index = routes.filter((other) => other.migration === migration).indexOf(route);
  return `${migration}: ${plan.migrations[migration]?.routes[index]?.match.text ?? 'unknown'}`;
};

/** A request as it comes over the wire. */
function acceptedOf(request: MadeRequest, plan: Plan) {
  const { method, path, host, header, query, cookie, claim } = request;
  const token = Buffer.from(JSON.stringify(Object.fromEntries(claim))).toString('base64url');
  const accepted = accept(
    {
      method,
      url: `${path}${query.length > 0 ? `?${query.map((pair) => pair.join('=')).join('&')}` : ''}`,
      rawHeaders: [
        'Host',
        `${host.toUpperCase()}:8080`,
        ...header.flat(),
        ...(cookie.length > 0 ? ['Cookie', cookie.map((pair) => pair.join('=')).join('; ')] : []),
        ...(claim.length > 0 ? ['Authorization', `Bearer e30.${token}.sig`] : []),
      ],
      remoteAddress: '127.0.0.1',
      encrypted: false,
    },
    plan.proxy.paths,
  );
  if (accepted instanceof StranglerError) throw accepted;
  return accepted;
}

function matched(table: RouteTable, request: MadeRequest, plan: Plan): string {
  const accepted = acceptedOf(request, plan);
  const { route } = match(table, accepted.method, accepted.path, accepted);
  return route ? `${route.migration}: ${route.text}` : 'nobody';
}

/** The upstream that answers once every migration is extracted. */
function destination(table: RouteTable, request: MadeRequest, plan: Plan): string {
  const { method, path, hasBody, ...rest } = acceptedOf(request, plan);
  const { route } = match(table, method, path, rest);
  const service = { healthy: true, reason: null };
  return decide({ method, path, hasBody, route, phase: 'extracted', flagOn: false, service }).upstream;
}

describe('matching, on made-up plans and requests', () => {
  it('finds what a slow look at every route finds by the documented rules', () => {
    const seen = { matched: 0, unmatched: 0 };
    fc.assert(
      fc.property(aScene, ({ routes, rules, requests }) => {
        const loaded = settle(routes, rules);
        const table = compileRoutes(loaded.plan);
        for (const request of requests) {
          const expected = nameOf(slowMatch(loaded.routes, request, rules), loaded);
          expect(matched(table, request, loaded.plan)).toBe(expected);
          seen[expected === 'nobody' ? 'unmatched' : 'matched']++;
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );

    expect(Math.min(seen.matched, seen.unmatched)).toBeGreaterThan(2_000);
  });

  it('a route that is added changes where exactly the requests go that it matches', () => {
    const seen = { changed: 0, passedOver: 0, untouched: 0 };
    fc.assert(
      fc.property(aScene, ({ routes, added, rules, requests }) => {
        const before = settle(routes, rules);
        const after = load([...before.routes, added], rules);
        if (!after.ok) return;
        const tables = [compileRoutes(before.plan), compileRoutes(after.plan)] as const;
        for (const request of requests) {
          const was = destination(tables[0], request, before.plan);
          const is = destination(tables[1], request, after.plan);
          const isMatched = fits(added, request, rules);
          const isFirst = slowMatch([...before.routes, added], request, rules) === added;
          // Matched and not first: another route of the plan keeps it.
          const isLost = isMatched && !isFirst && was === 'legacy';
          expect([is, isLost]).toEqual([isFirst ? 'added' : was, false]);
          seen[isFirst ? 'changed' : isMatched ? 'passedOver' : 'untouched']++;
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );

    expect(seen.changed).toBeGreaterThan(500);
    expect(seen.passedOver).toBeGreaterThan(100);
    expect(seen.untouched).toBeGreaterThan(5_000);
  });

  it('the order of routes in the file does not matter', () => {
    fc.assert(
      fc.property(
        aScene.chain((scene) =>
          fc.tuple(
            fc.constant(scene),
            fc.shuffledSubarray([...scene.routes.keys()], { minLength: scene.routes.length }),
          ),
        ),
        ([{ routes, rules, requests }, places]) => {
          const written = settle(routes, rules);
          const order = new Map(written.routes.map((route) => [route, places[routes.indexOf(route)] ?? 0]));
          const moved = written.routes.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
          const other = load(moved, rules);
          if (!other.ok) throw new Error(JSON.stringify(other.problems));
          const tables = [compileRoutes(written.plan), compileRoutes(other.plan)] as const;
          for (const request of requests)
            expect(matched(tables[1], request, other.plan)).toBe(matched(tables[0], request, written.plan));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('an ambiguous path reaches legacy alone, whatever the routes and the rules', () => {
    fc.assert(
      fc.property(
        someRoutes,
        someRules,
        aRequest,
        fc.constantFrom(...DISGUISES),
        (routes, rules, request, disguise) => {
          const { plan } = settle(
            [...routes, { migration: 'all', methods: ['*'], segments: ['*'], when: {}, order: -2 }],
            rules,
          );
          const path = disguise(request.isAmbiguous ? '/a' : request.path);
          expect(destination(compileRoutes(plan), { ...request, path }, plan)).toBe('legacy');
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('the lint is right about routes that never match, and overlooks no migration that takes requests of another', () => {
    const seen = { unreachable: 0, losing: 0 };
    fc.assert(
      fc.property(aScene, ({ routes, rules, requests }) => {
        const { routes: kept, unreachable, losing } = settle(routes, rules);
        seen.unreachable += unreachable.length;
        for (const request of requests) {
          const winner = slowMatch(kept, request, rules);
          if (!winner) continue;
          expect(unreachable).not.toContain(placeOf(winner, kept));
          const losers = kept
            .filter((route) => fits(route, request, rules))
            .filter(({ migration, order }) => migration !== winner.migration && order === winner.order)
            .map((route) => placeOf(route, kept));
          expect([...unreachable, ...losing]).toEqual(expect.arrayContaining(losers));
          seen.losing += losers.length;
        }
      }),
      { seed: SEED, numRuns: 500 },
    );

    expect(Math.min(seen.unreachable, seen.losing)).toBeGreaterThan(100);
  });
});
