import { describe, expect, it } from '@jest/globals';
import { createIsPlain } from './is-plain.js';
import type { Verdict } from './judge.js';
import { compileRoutes, match } from './match.js';
import { planOf } from './proxy.fixture.js';

const plan = planOf({ at: '/nowhere', legacy: 'http://a.test', service: 'https://b.test' });
const { route } = match(compileRoutes(plan), 'GET', '/items/1');
const verdict = (more: Record<string, unknown> = {}): Verdict =>
  ({
    route,
    decision: { upstream: 'legacy', fallback: false },
    consulted: { tester: undefined },
    ...more,
  }) as unknown as Verdict;

describe('a request is plain', () => {
  it('when only forwarding is left to do', () => {
    const isPlain = createIsPlain(plan);
    expect(isPlain.unknown).toEqual([]);
    expect(isPlain(verdict())).toBe(true);
    expect(isPlain(verdict({ route: undefined }))).toBe(true);
  });

  it.each([
    ['its answer is explained to a tester', { consulted: { tester: { name: 'anna' } } }],
    ['its upstream speaks TLS', { decision: { upstream: 'catalog', fallback: false } }],
    ['its route says something the lane does not know', { route: { ...route, novelty: 1 } }],
    ['its route asks who comes', { route: { ...route, guard: { session: 'required' } } }],
    ['its route says something else to the service', { route: { ...route, transform: {} } }],
    ['its service is asked by gRPC', { route: { ...route, grpc: {} } }],
    ['its migration is not in the plan', { route: { ...route, migration: 'other' } }],
  ])('not when %s', (_why, more) => {
    expect(createIsPlain(plan)(verdict(more))).toBe(false);
  });

  it('not when its migration or upstream says something the lane does not know', () => {
    const migrations = Object.fromEntries(
      Object.entries(plan.migrations).map(([name, each]) => [name, { ...each, novelty: 1 }]),
    );
    const upstreams = Object.fromEntries(
      Object.entries(plan.upstreams).map(([name, each]) => [name, { ...each, novelty: 1 }]),
    );
    expect(createIsPlain({ ...plan, migrations })(verdict())).toBe(false);
    expect(createIsPlain({ ...plan, upstreams })(verdict())).toBe(false);
  });

  it('not when its upstream rewrites its own address', () => {
    const legacy = { ...plan.upstreams['legacy'], rewrite: {} } as (typeof plan.upstreams)[string];
    expect(createIsPlain({ ...plan, upstreams: { ...plan.upstreams, legacy } })(verdict())).toBe(false);
  });

  it('with everything the plan says of the proxy, but not when its requests are traced', () => {
    const known = {
      auth: { shop: { issuer: 'https://login.test', audience: 'shop' } },
      replicas: ['http://127.0.0.1:1'],
      trusted: ['10.0.0.0/8'],
      forwarded: 'both',
      via: 'strangler',
      accessLog: true,
      tls: { listen: 0, cert: 'a', key: 'b' },
      stateFile: 'state.json',
    };
    const of = (proxy: Record<string, unknown>) =>
      createIsPlain(planOf({ at: '/nowhere', legacy: 'http://a.test', service: 'http://b.test', proxy }));
    expect(of(known).unknown).toEqual([]);
    expect(of({ tracing: { otlp: 'http://127.0.0.1:4318/v1/traces' } }).unknown).toEqual(['tracing']);
  });

  it('never when the proxy itself is told something the lane does not know', () => {
    const odd = { ...plan, proxy: { ...plan.proxy, novelty: 1 } } as typeof plan;
    expect(createIsPlain(odd).unknown).toEqual(['novelty']);
  });
});
