// A program of the toolkit as `strangler up` meets it, for tests: it serves its admin port, knows evidence of a
// healthy migration, follows the routing state, and misbehaves as FAKE_<NAME> says: `problem`, `unready` or `short-lived`.
import { createServer } from 'node:http';
import { runProgram, subscribeToState, urlOf } from '@strangler/contracts';

const evidence = {
  'strangler-proxy': (plan, state) => ({
    requests: { total: 1000, failed: 0 },
    startedAt: new Date(0).toISOString(),
    upstreams: Object.fromEntries(
      Object.keys(plan.upstreams).map((name) => [name, { healthy: true, reason: null }]),
    ),
    migrations: Object.fromEntries(
      Object.entries(plan.migrations).map(([name, migration]) => [
        name,
        {
          phase: state.migrations[name]?.phase ?? 'legacy',
          share: {
            configured: null,
            observedClients: null,
            observedRequests: null,
            clients: 0,
            requests: 0,
            since: new Date(0).toISOString(),
          },
          serviceFailures: 0,
          routes: migration.routes.map(({ match }) => ({
            route: match.text,
            served: { legacy: 400, service: 0, fallback: 0 },
            comparisons: { match: 400, mismatch: 0, ignored: 0, inconclusive: 0 },
            cleanSinceMismatch: 400,
            lastMismatchAt: null,
            notCompared: {},
            samples: [],
          })),
        },
      ]),
    ),
  }),
  'strangler-sync': (plan, state) => ({
    migrations: Object.fromEntries(
      Object.keys(plan.migrations).map((name) => [
        name,
        {
          state: (state.migrations[name]?.phase ?? 'legacy') === 'legacy' ? 'idle' : 'tailing',
          problem: null,
          backfill: { tables: [{ table: 'product', copied: 10, total: 10, done: true }], etaMs: null },
          lagMs: 12,
          lagMsP99: 40,
          offset: 'binlog.000001:4',
          applied: { transactions: 1, rows: 10 },
          verification: null,
        },
      ]),
    ),
  }),
};

const verification = () => {
  const now = new Date().toISOString();
  return {
    startedAt: now,
    finishedAt: now,
    clean: true,
    rowsVerified: 10,
    driftRows: 0,
    tables: [
      {
        from: 'product',
        to: 'product',
        sourceRows: 10,
        targetRows: 10,
        compared: 10,
        different: 0,
        missing: 0,
        extra: 0,
        samples: [],
      },
    ],
  };
};

export const fakeProgram = (name) => {
  const behaviour = process.env[`FAKE_${name.replace('strangler-', '').toUpperCase()}`] ?? '';
  if (process.argv[2] === 'laws') {
    const told = {
      code: 'LAW_BROKEN',
      path: process.argv.slice(3).join(' '),
      message: 'is lost',
      remedy: 'say so',
    };
    process.stdout.write(`${JSON.stringify({ problems: behaviour === 'problem' ? [told] : [] })}\n`);
    process.exitCode = behaviour === 'problem' ? 2 : 0;
    return undefined;
  }
  return runProgram(
    {
      name,
      check: async () =>
        behaviour === 'problem'
          ? [{ code: 'FAKE', path: name, message: 'is not well', remedy: 'make it well' }]
          : [],
      async start(plan, log) {
        if (behaviour === 'unready') throw new Error('cannot start');
        if (behaviour === 'short-lived') setTimeout(() => process.exit(7), 50);
        const stopping = new AbortController();
        let state = { version: 0, migrations: {} };
        const listening = name === 'strangler-sync' ? plan.sync.admin : plan.proxy.admin;
        const answer = (pathname, query) => {
          if (pathname.endsWith('/verify')) return verification();
          if (pathname === '/explain')
            return {
              method: query.get('method'),
              path: query.get('path'),
              upstream: 'legacy',
              shadow: true,
              migration: 'catalog',
              route: 'GET /api/products/:id',
              phase: 'shadow',
              flag: 'strangler.catalog',
              client: { kind: query.has('cookie.cust') ? 'user' : 'anonymous', bucket: 37 },
              reason: `header ${query.get('header.x-tier') ?? 'not given'}`,
            };
          if (pathname !== '/evidence') return undefined;
          return {
            instance: `${name}-${process.pid}`,
            at: new Date().toISOString(),
            planRevision: plan.revision,
            stateVersion: state.version,
            inContact: true,
            ...evidence[name](plan, state),
          };
        };
        const server = createServer((request, response) => {
          const { pathname, searchParams } = new URL(request.url, 'http://localhost');
          const body = answer(pathname, searchParams);
          response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(body ?? {}));
        });
        await new Promise((done) => server.listen(listening.port, listening.host, done));
        const following =
          plan.control === undefined
            ? Promise.resolve()
            : subscribeToState({ url: urlOf(plan.control.listen), subscriber: `${name}-${process.pid}` }).run(
                (next) => {
                  state = next;
                  log.info({ version: next.version }, 'took a new routing state');
                },
                stopping.signal,
              );
        return {
          urls: { [name.replace('strangler-', '')]: urlOf({ ...listening, port: server.address().port }) },
          async stop() {
            stopping.abort();
            await following;
            server.closeAllConnections();
            await new Promise((done) => server.close(done));
          },
        };
      },
    },
    process.argv.slice(2),
    process.env,
  );
};
