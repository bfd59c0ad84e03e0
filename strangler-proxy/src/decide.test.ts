import { PHASES } from '@strangler/contracts';
import { describe, expect, it } from '@jest/globals';
import { decide, isPerClient, type Question } from './decide.js';
import { compileRoutes, match } from './match.js';
import { planOf } from './proxy.fixture.js';

const table = compileRoutes(
  planOf({
    at: '/nowhere',
    legacy: 'http://a:1',
    service: 'http://b:1',
    routes: ['GET /items', { match: 'GET /stream', shadow: false }, 'POST /items'],
  }),
);
const healthy = { healthy: true, reason: null };
const ask = (given: Partial<Question> & { path?: string }) => {
  const { method = 'GET', path = '/items' } = given;
  return decide({
    hasBody: false,
    phase: 'legacy',
    flagOn: true,
    service: healthy,
    route: match(table, method, path).route,
    ...given,
    method,
    path,
  });
};

describe('deciding where a request goes', () => {
  it.each([
    // phase, method, flag, upstream, shadow, fallback
    ['legacy', 'GET', true, 'legacy', false, false],
    ['syncing', 'GET', true, 'legacy', false, false],
    ['shadow', 'GET', true, 'legacy', true, false],
    ['shadow', 'HEAD', true, 'legacy', false, false],
    ['shadow', 'POST', true, 'legacy', false, false],
    ['canary', 'GET', true, 'catalog', false, true],
    ['canary', 'HEAD', true, 'catalog', false, true],
    ['canary', 'GET', false, 'legacy', true, false],
    ['canary', 'HEAD', false, 'legacy', false, false],
    ['canary', 'POST', true, 'legacy', false, false],
    ['extracted', 'GET', false, 'catalog', false, false],
    ['extracted', 'POST', false, 'catalog', false, false],
    ['retired', 'GET', false, 'catalog', false, false],
    ['retired', 'POST', false, 'catalog', false, false],
  ] as const)(
    'in %s, %s with the flag %s: %s, shadow %s, fallback %s',
    (phase, method, flagOn, upstream, shadow, fallback) => {
      expect(ask({ phase, method, flagOn })).toMatchObject({ upstream, shadow, fallback });
    },
  );

  it.each(PHASES)('keeps a route of nobody on legacy, whatever else is in %s', (phase) => {
    expect(ask({ phase, path: '/other' })).toMatchObject({ upstream: 'legacy', shadow: false });
  });

  it('keeps an ambiguous path on legacy even when everything is extracted', () => {
    const { route } = match(table, 'GET', '/items');
    const decision = decide({
      method: 'GET',
      path: null,
      hasBody: false,
      route,
      phase: 'extracted',
      flagOn: true,
      service: healthy,
    });
    expect(decision.upstream).toBe('legacy');
  });

  it('does not divert a client to a service that is not healthy, and says why', () => {
    const decision = ask({ phase: 'canary', service: { healthy: false, reason: '/health answers 503' } });
    expect(decision).toMatchObject({ upstream: 'legacy', shadow: false, perClient: true });
    expect(decision.reason).toContain('/health answers 503');
  });

  it.each([
    // flag, enabled, pin, side
    [false, true, 'held', 'service'],
    [false, false, 'held', 'legacy'],
    [false, true, 'stale', 'legacy'],
    [false, true, 'invalid', 'legacy'],
    [false, true, 'none', 'legacy'],
    [false, true, null, 'legacy'],
    [true, true, 'stale', 'service'],
  ] as const)('with the flag %s, enabled %s and a pin that is %s: %s', (flagOn, enabled, pin, side) => {
    expect(ask({ phase: 'canary', flagOn, enabled, pin })).toMatchObject({ side, perClient: true });
  });

  it('lets a pin count in canary only, and never for writes', () => {
    const held = { flagOn: false, enabled: true, pin: 'held' } as const;
    for (const phase of ['legacy', 'syncing', 'shadow'] as const)
      expect(ask({ ...held, phase }).side).toBe('legacy');
    expect(ask({ ...held, phase: 'canary', method: 'POST' }).side).toBe('legacy');
  });

  it.each(PHASES)('lets a tester choose reads in shadow and canary, not elsewhere (%s)', (phase) => {
    const tester = { name: 'anna', migration: '*', expiresAt: 1 };
    const seen = (side: 'legacy' | 'service', method: string) =>
      ask({ phase, method, flagOn: side === 'legacy', tester: { ...tester, side } }).side;
    const without = (method: string) => ask({ phase, method, flagOn: false }).side;
    const chooses = phase === 'shadow' || phase === 'canary';
    expect(seen('service', 'GET')).toBe(chooses ? 'service' : without('GET'));
    expect(seen('legacy', 'GET')).toBe(chooses ? 'legacy' : without('GET'));
    expect(seen('service', 'POST')).toBe(without('POST'));
  });

  it('does not send a tester to a service that is not healthy', () => {
    const tester = { name: 'anna', side: 'service', migration: '*', expiresAt: 1 } as const;
    const decision = ask({ phase: 'shadow', tester, service: { healthy: false, reason: 'it is down' } });
    expect(decision).toMatchObject({ side: 'legacy', shadow: false });
    expect(decision.reason).toContain('it is down');
  });

  it('never asks twice what the plan says must not be', () => {
    expect(ask({ phase: 'shadow', path: '/stream' }).shadow).toBe(false);
    expect(ask({ phase: 'canary', path: '/stream', flagOn: false }).shadow).toBe(false);
  });

  it('keeps a read with a body on legacy: a body cannot be sent twice', () => {
    expect(ask({ phase: 'canary', hasBody: true })).toMatchObject({ upstream: 'legacy', shadow: false });
    expect(isPerClient('canary', 'GET', true)).toBe(false);
  });

  it('gives every decision a reason that names what it hangs on', () => {
    for (const phase of PHASES)
      for (const flagOn of [true, false])
        for (const method of ['GET', 'POST'])
          expect(ask({ phase, flagOn, method }).reason).toMatch(/"(?:catalog|strangler\.catalog)"/);
  });
});
