import { describe, expect, it } from '@jest/globals';
import type { ProxyEvidence, RouteEvidence } from '@strangler/contracts';
import { addUp } from './add-up.js';
import { ago, answerOf, proxyEvidence, routeEvidence, traffic } from './evidence.fixture.js';
import { hearProxies } from './hear-proxies.js';

const ROUTE = 'GET /api/products';
const proxy = (
  instance: string,
  route: Partial<RouteEvidence> = {},
  changes: Partial<ProxyEvidence> = {},
): ProxyEvidence =>
  proxyEvidence(traffic({ routes: [routeEvidence(ROUTE, route)] }), { instance, ...changes });
const routeOf = (evidence: ProxyEvidence) => evidence.migrations['catalog']?.routes[0];

describe('the evidence of several proxies', () => {
  it('of one is what it says', () => {
    expect(addUp([proxy('a')])).toEqual(proxy('a'));
  });

  it('is added: answers, comparisons, what was not compared, failures, requests', () => {
    const sum = addUp([
      proxy('a', { notCompared: { deadline: 2, 'queue-full': 1 } }),
      proxy('b', { notCompared: { deadline: 3 }, served: { legacy: 1, service: 2, fallback: 3 } }),
    ]);
    expect(sum).toMatchObject({ instance: 'a, b', requests: { total: 10_000, failed: 4 } });
    expect(routeOf(sum)).toMatchObject({
      served: { legacy: 501, service: 2, fallback: 3 },
      comparisons: { match: 800, mismatch: 0, ignored: 6, inconclusive: 2 },
      cleanSinceMismatch: 800,
      notCompared: { deadline: 5, 'queue-full': 1 },
    });
  });

  it('has the writes of all, and none when one does not say', () => {
    const writes = { held: 1, inFlight: 2, lastHoldMs: null, released: 3, refused: 4, left: 5 };
    const telling = (instance: string, more: object) =>
      proxyEvidence(traffic({ writes: { ...writes, ...more } }), { instance });
    const writesOf = (...proxies: [ProxyEvidence, ...ProxyEvidence[]]) =>
      addUp(proxies).migrations['catalog']?.writes;
    expect(writesOf(telling('a', { lastHoldMs: 70 }), telling('b', { lastHoldMs: 90 }))).toEqual({
      held: 2,
      inFlight: 4,
      lastHoldMs: 90,
      released: 6,
      refused: 8,
      left: 10,
    });
    expect(writesOf(telling('a', {}), telling('b', {}))?.lastHoldMs).toBeNull();
    expect(writesOf(telling('a', {}), proxy('b'))).toBeUndefined();
  });

  it('has of mismatches the newest samples, no more than one proxy keeps', () => {
    const sample = (at: number) => ({ at: ago(at), request: `GET /${at}`, differences: [] });
    const sum = addUp([
      proxy('a', { samples: [sample(50), sample(10)], lastMismatchAt: ago(10) }),
      proxy('b', { samples: [sample(30), sample(5)], lastMismatchAt: ago(5) }),
    ]);
    expect(routeOf(sum)?.samples.map(({ request }) => request)).toEqual(['GET /10', 'GET /5']);
    expect(routeOf(sum)?.lastMismatchAt).toBe(ago(5));
  });

  it('is only as well, as new and as much in contact as the worst of them', () => {
    const ill = { catalog: { healthy: false, reason: 'status 503' } };
    const sum = addUp([proxy('a'), proxy('b', {}, { upstreams: ill, stateVersion: 2, inContact: false })]);
    expect(sum).toMatchObject({ stateVersion: 2, inContact: false });
    expect(sum.upstreams['catalog']).toEqual({ healthy: false, reason: '"b" finds: status 503' });
  });

  it('weighs shares by the clients each has seen, and does not count a client that met both as two', () => {
    const seen = (instance: string, clients: number, observedClients: number, pinned: number) => {
      const { share } = traffic();
      return proxyEvidence(traffic({ share: { ...share, clients, observedClients, pinned } }), { instance });
    };
    expect(addUp([seen('a', 300, 10, 6), seen('b', 100, 30, 2)]).migrations['catalog']?.share).toMatchObject({
      clients: 300,
      observedClients: 15,
      pinned: 6,
      requests: 2_000,
    });
  });
});

describe('clean comparisons of several proxies', () => {
  const marks = [
    [ago(60_000), 100],
    [ago(20_000), 300],
    [ago(5_000), 380],
  ] as const;

  it('count from the latest mismatch of any of them, as far as that is certain', () => {
    const bad = proxy('a', { cleanSinceMismatch: 7, lastMismatchAt: ago(30_000) });
    expect(routeOf(addUp([bad, proxy('b', { cleanMarks: marks })]))?.cleanSinceMismatch).toBe(7 + 100);
    expect(routeOf(addUp([bad, proxy('b')]))?.cleanSinceMismatch).toBe(7);
    const later = proxy('b', { lastMismatchAt: ago(10_000), cleanSinceMismatch: 3 });
    expect(routeOf(addUp([bad, later]))?.cleanSinceMismatch).toBe(3);
  });

  it('count anew from the start of the newest proxy: it may have forgotten a mismatch', () => {
    const restarted = proxy('a', { cleanSinceMismatch: 5 }, { startedAt: ago(30_000) });
    expect(routeOf(addUp([restarted, proxy('b', { cleanMarks: marks })]))?.cleanSinceMismatch).toBe(5 + 100);
  });

  it('count anew from when one was lost, also when only one is left', () => {
    expect(routeOf(addUp([proxy('b', { cleanMarks: marks })], ago(30_000)))?.cleanSinceMismatch).toBe(100);
    expect(routeOf(addUp([proxy('b')], ago(4_000_000)))?.cleanSinceMismatch).toBe(400);
  });
});

describe('hearing proxies', () => {
  it('is not ok as soon as one is silent, and says which', () => {
    const heard = hearProxies([answerOf(proxy('a')), answerOf('b')]);
    expect(heard.proxy).toEqual({ ok: false, reason: 'proxy "b" has not answered: no answer' });
    expect(heard.heard?.instance).toBe('a');
  });

  it('counts one that is known by two addresses once, and takes either answer for its own', () => {
    const { proxies, proxy: sum } = hearProxies([answerOf(proxy('a')), answerOf(proxy('a')), answerOf('a')]);
    expect(proxies).toHaveLength(1);
    expect(sum.ok && sum.evidence.requests.total).toBe(5_000);
  });

  it('of nobody is no evidence', () => {
    expect(hearProxies([answerOf('a')])).toMatchObject({ heard: null, proxy: { ok: false } });
  });
});
