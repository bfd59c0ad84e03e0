import { describe, expect, it } from '@jest/globals';
import type { MigrationTraffic } from '@strangler/contracts';
import {
  ago,
  canaryTraffic,
  evidenceOf,
  mismatched,
  proxyEvidence,
  routeEvidence,
  syncEvidence,
  syncOf,
  traffic,
  verification,
} from '../evidence/evidence.fixture.js';
import type { Evidence } from '../evidence/evidence.js';
import { historyOf } from '../ledger/event.fixture.js';
import { type Standing, UNTOUCHED } from '../ledger/fold.js';
import { planOf } from '../plan.fixture.js';
import { routeVerdict, verdict } from './comparisons.js';
import { GATES, gatesOf } from './gate-table.js';
import {
  backfillDone,
  comparisonsClean,
  type GateCheck,
  type GateContext,
  lagSmall,
  nothingParked,
  proxyAnswers,
  routesCompared,
  serviceHolds,
  serviceReady,
  shareObserved,
  shareTolerance,
  syncAnswers,
  verifiedClean,
} from './gates.js';
import { percentAtMost, ruleOfThree } from './rule-of-three.js';

const plan = planOf();
const copying: Standing = { ...UNTOUCHED, phase: 'syncing', copiedSince: ago(600_000) };

const contextOf = (
  evidence: Evidence,
  changes: Partial<GateContext> & { readonly name?: string } = {},
): GateContext => {
  const name = changes.name ?? 'catalog';
  const migration = plan.migrations[name];
  if (!migration) throw new Error(name);
  return { name, migration, planRevision: 'revision', standing: copying, share: null, evidence, ...changes };
};
const judge = (check: GateCheck, evidence: Evidence, changes: Partial<GateContext> = {}) => {
  const { met, detail } = check(contextOf(evidence, changes));
  return [met, detail] as const;
};
const withTraffic = (changes: Partial<MigrationTraffic>) => evidenceOf(proxyEvidence(traffic(changes)));
const withSync = (...changes: Parameters<typeof syncOf>) =>
  evidenceOf(proxyEvidence(), syncEvidence(syncOf(...changes)));
const down: Evidence = {
  ...evidenceOf('proxy-1'),
  sync: { ok: false, reason: 'http://127.0.0.1:7071 does not answer (ECONNREFUSED)' },
};

describe('the table of gates', () => {
  it('guards each step forward, and the cutover has no row that could let it pass', () => {
    expect(Object.fromEntries(Object.entries(GATES).map(([step, checks]) => [step, checks.length]))).toEqual({
      'legacy -> syncing': 2,
      'syncing -> shadow': 6,
      'shadow -> canary': 9,
      'canary -> canary': 9,
    });
  });

  it.each([
    ['legacy', 'syncing', traffic()],
    ['syncing', 'shadow', traffic()],
    ['shadow', 'canary', traffic()],
    ['canary', 'canary', canaryTraffic(10)],
  ] as const)('lets %s -> %s pass when everything is well', (from, to, seen) => {
    const gates = gatesOf(from, to, contextOf(evidenceOf(proxyEvidence(seen)), { share: 10 }));
    expect(gates.filter(({ met }) => !met)).toEqual([]);
  });

  it.each([
    ['legacy', 'syncing'],
    ['syncing', 'shadow'],
    ['shadow', 'canary'],
    ['canary', 'canary'],
  ] as const)('leaves every gate of %s -> %s unmet, with the reason, when nobody answers', (from, to) => {
    for (const { met, detail } of gatesOf(from, to, contextOf(down)))
      expect([met, detail]).toEqual([false, expect.stringMatching(/has not answered|does not answer/)]);
  });

  it('names every gate once in a step', () => {
    for (const step of ['syncing -> shadow', 'shadow -> canary', 'canary -> canary'] as const) {
      const names = (GATES[step] ?? []).map((check) => check(contextOf(evidenceOf())).gate);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('the gates of proxy and sync', () => {
  it('ask for the same plan on all sides', () => {
    const other = { planRevision: 'another' };
    expect(judge(proxyAnswers, evidenceOf(proxyEvidence(traffic(), other)))).toEqual([
      false,
      expect.stringMatching(/^"proxy-1" runs another revision of the plan \(another, here revision\): /),
    ]);
    expect(judge(syncAnswers, evidenceOf(proxyEvidence(), syncEvidence(syncOf(), other)))[0]).toBe(false);
  });

  it('ask for contact: a proxy that hears nothing would not follow', () => {
    const [met, detail] = judge(proxyAnswers, evidenceOf(proxyEvidence(traffic(), { inContact: false })));
    expect([met, detail]).toEqual([false, expect.stringMatching(/lost contact/)]);
  });

  it('ask nothing of sync when the migration moves no data', () => {
    for (const check of [syncAnswers, backfillDone, lagSmall, verifiedClean])
      expect(
        judge(check, { ...evidenceOf(), sync: null }, contextOf(evidenceOf(), { name: 'search' })),
      ).toEqual([true, 'the migration moves no data']);
  });
});

describe('the gate of the backfill', () => {
  it('tells which table is not done', () => {
    const tables = [
      { table: 'product', copied: 500, total: 2_000, done: false },
      { table: 'category', copied: 10, total: 10, done: true },
    ];
    expect(judge(backfillDone, withSync({ state: 'backfilling', backfill: { tables, etaMs: 900 } }))).toEqual(
      [false, 'not done: "product" 500 of 2000 rows'],
    );
  });
  it('waits for the tail, and passes on why sync stopped', () => {
    expect(judge(backfillDone, withSync({ state: 'backfilling' }))[0]).toBe(false);
    expect(judge(backfillDone, withSync({ state: 'stopped', problem: 'the binlog was purged' }))).toEqual([
      false,
      'sync has stopped: the binlog was purged',
    ]);
  });
});

describe('the gate of parked keys', () => {
  const sample = {
    key: 'item:7',
    code: 'ROW_REFUSED',
    problem: 'too long',
    events: 2,
    firstSeen: '2026-01-02T03:04:05Z',
    lastSeen: '2026-01-02T03:04:06Z',
  };
  it('is met when none waits, and where sync knows of none', () => {
    expect(judge(nothingParked, withSync({ parked: { keys: 0, oldestAt: null, samples: [] } }))[0]).toBe(
      true,
    );
    expect(judge(nothingParked, withSync({}))[0]).toBe(true);
  });
  it('tells how many wait, the oldest, and where to look', () =>
    expect(
      judge(nothingParked, withSync({ parked: { keys: 3, oldestAt: sample.firstSeen, samples: [sample] } })),
    ).toEqual([
      false,
      '3 keys wait, "item:7" since 2026-01-02T03:04:05Z (too long): see "strangler parked list catalog"',
    ]));
});

describe('the gate of the lag', () => {
  it.each([
    [2_000, true],
    [2_001, false],
  ])('at %d ms is met: %s', (lagMs, met) => expect(judge(lagSmall, withSync({ lagMs }))[0]).toBe(met));
  it('is unmet while nothing is measured', () =>
    expect(judge(lagSmall, withSync({ lagMs: null }))).toEqual([
      false,
      expect.stringMatching(/not measured/),
    ]));
});

describe('the gate of the verification', () => {
  const judged = (changes: Parameters<typeof verification>[0] | null, standing = copying) =>
    judge(verifiedClean, withSync({ verification: changes === null ? null : verification(changes) }), {
      standing,
    });
  it('wants one', () =>
    expect(judged(null)).toEqual([false, 'this copy was never verified: run "strangler verify catalog"']));
  it('wants it clean', () =>
    expect(judged({ clean: false, driftRows: 3 })).toEqual([
      false,
      expect.stringMatching(/^3 rows differ of 2000/),
    ]));
  it('wants it fresh', () => {
    expect(judged({ finishedAt: ago(3_600_000), startedAt: ago(500_000) })[0]).toBe(true);
    expect(judged({ finishedAt: ago(3_600_001), startedAt: ago(500_000) })).toEqual([
      false,
      expect.stringMatching(/allowed 3600 s: run "strangler verify catalog"/),
    ]);
  });
  it('does not count one of a copy that has been dropped since', () =>
    expect(judged({ startedAt: ago(700_000), finishedAt: ago(690_000) })[0]).toBe(false));
  it('takes the one the ledger remembers when sync has forgotten its own', () => {
    const { tables: _tables, ...summary } = verification();
    const [verified] = historyOf([{ kind: 'verified', verification: summary }]);
    expect(judged(null, { ...copying, lastVerified: verified ?? null })[0]).toBe(true);
  });
});

describe('the gates of the comparisons', () => {
  it('spell the rule of three out', () =>
    expect(
      judge(
        comparisonsClean,
        withTraffic({ routes: [routeEvidence('GET /api/products', { cleanSinceMismatch: 412 })] }),
      ),
    ).toEqual([true, '0 mismatches in the last 412 comparisons: true rate under 0.73 % at 95 %']));

  it.each([
    [199, false],
    [200, true],
  ])('with %d clean comparisons of the 200 needed is met: %s', (cleanSinceMismatch, met) =>
    expect(
      judge(
        comparisonsClean,
        withTraffic({ routes: [routeEvidence('GET /api/products', { cleanSinceMismatch })] }),
      )[0],
    ).toBe(met),
  );

  it('never say that a mismatch was none: pooled routes have each their own last one', () => {
    const routes = [mismatched('GET /api/products/:id', 2), routeEvidence('GET /api/products')];
    expect(judge(comparisonsClean, withTraffic({ routes }))).toEqual([
      true,
      '0 mismatches in 402 comparisons since the last one of each route: true rate under 0.75 % at 95 %; 7 before',
    ]);
    expect(routes.map(routeVerdict)).toEqual([
      '0 mismatches in the last 2 comparisons: too few to bound the true rate; 7 before',
      '0 mismatches in the last 400 comparisons: true rate under 0.75 % at 95 %',
    ]);
    expect(routeVerdict(mismatched('GET /x', 0))).toBe('the last comparison was a mismatch, 7 in all');
    expect(verdict([])).toBe('nothing compared yet');
  });

  it('name route, count and the first difference of the newest sample', () =>
    expect(
      judge(
        routesCompared,
        withTraffic({ routes: [mismatched('GET /api/products/:id', 2), routeEvidence('GET /api/products')] }),
      ),
    ).toEqual([
      false,
      '"GET /api/products/:id" has 2 of 5 since its last of 7 mismatches (GET /api/products/7: "/price" differs: legacy says "19.99", the service "19.98" (and 1 more))',
    ]));

  it('want every shadowed route to be seen, and only those', () => {
    const [met, detail] = judge(
      routesCompared,
      withTraffic({ routes: [routeEvidence('GET /api/products')] }),
    );
    expect(met).toBe(false);
    expect(detail).toBe('"GET /api/products/:id" has 0 of 5');
  });

  it('are unmet when the plan shadows no route, since nothing is known then', () => {
    const migration = plan.migrations['catalog'];
    if (!migration) throw new Error('no migration');
    const blind = { ...migration, routes: migration.routes.map((route) => ({ ...route, shadow: false })) };
    expect(judge(comparisonsClean, evidenceOf(), { migration: blind })[0]).toBe(false);
  });
});

describe('the gate of the service', () => {
  it('wants it healthy, and passes on why it is not', () =>
    expect(
      judge(
        serviceReady,
        evidenceOf(
          proxyEvidence(traffic(), { upstreams: { catalog: { healthy: false, reason: 'status 503' } } }),
        ),
      ),
    ).toEqual([false, '"catalog" is not: status 503']));

  it.each([
    [0, true],
    [1, false],
  ])('with %d failures in 100 answers is met: %s', (serviceFailures, met) =>
    expect(
      judge(serviceHolds, evidenceOf(proxyEvidence({ ...canaryTraffic(10), serviceFailures })), {
        share: 10,
      })[0],
    ).toBe(met),
  );

  it('counts from the last change on, as long as the same proxy counts', () => {
    const failing = evidenceOf(proxyEvidence({ ...canaryTraffic(10), serviceFailures: 9 }));
    const [last] = historyOf([
      { counters: { instance: 'proxy-1', startedAt: ago(3_600_000), answers: 40, failures: 9 } },
    ]);
    if (!last) throw new Error('no event');
    expect(judge(serviceHolds, failing, { share: 10, standing: { ...copying, last } })).toEqual([
      true,
      '0 of 60 answers failed since the last change, allowed 0.10 %',
    ]);
    const restarted = { ...last, counters: { ...last.counters, startedAt: ago(7_200_000) } } as typeof last;
    expect(judge(serviceHolds, failing, { share: 10, standing: { ...copying, last: restarted } })[0]).toBe(
      false,
    );
  });

  it('waits for traffic, unless the flag sends nobody there', () => {
    expect(judge(serviceHolds, evidenceOf(), { share: 10 })).toEqual([
      false,
      expect.stringMatching(/wait for traffic/),
    ]);
    expect(judge(serviceHolds, evidenceOf(), { share: 0 })[0]).toBe(true);
  });
});

describe('the gate of the observed share', () => {
  const judged = (observedClients: number | null, clients: number, configured: number | null = 10) => {
    const seen = canaryTraffic(10);
    const share = { ...seen.share, observedClients, clients, configured };
    return judge(shareObserved, evidenceOf(proxyEvidence({ ...seen, share })), { share: 10 });
  };
  it.each([
    [10, 300, true],
    [16.1, 300, true],
    [16.3, 300, false],
    [0, 300, false],
    [10, 19, false],
  ])('%d %% observed of %d clients at 10 %% is met: %s', (observed, clients, met) =>
    expect(judged(observed, clients)[0]).toBe(met),
  );
  it('judges the flag by those whom no pin holds', () => {
    const seen = canaryTraffic(10);
    const judgedWith = (observedClients: number, pinned: number) => {
      const share = { ...seen.share, configured: 10, clients: 300, observedClients, pinned };
      return judge(shareObserved, evidenceOf(proxyEvidence({ ...seen, share })), { share: 10 });
    };
    expect(judgedWith(50, 120)).toEqual([true, expect.stringContaining('and 120 more by their pin')]);
    expect(judgedWith(50, 0)[0]).toBe(false);
    expect(judgedWith(50, 30)[0]).toBe(false);
  });
  it('leaves no room at 100 % beyond one point', () => expect(shareTolerance(100, 50)).toBe(1));
  it('waits until the proxy has the share in force', () => {
    expect(judged(10, 300, 50)).toEqual([false, '"proxy-1" has not put 10 % in force, it says 50 %']);
    expect(judged(null, 0)[0]).toBe(false);
  });
});

describe('the rule of three', () => {
  it.each([
    [0, '100.00 %'],
    [1, '100.00 %'],
    [300, '1.00 %'],
    [412, '0.73 %'],
    [3_000, '0.10 %'],
    [7, '42.86 %'],
  ])('bounds %d comparisons by %s', (trials, text) => expect(percentAtMost(ruleOfThree(trials))).toBe(text));

  it('holds: with a true rate at the bound, a clean run is seen in at most 5 % of cases', () => {
    for (const trials of [50, 412, 5_000]) expect((1 - ruleOfThree(trials)) ** trials).toBeLessThan(0.05);
  });
});

describe('with several proxies', () => {
  const named = (instance: string, changes: Partial<Parameters<typeof proxyEvidence>[1]> = {}) =>
    proxyEvidence(traffic(), { instance, ...changes });

  it('all of them must answer, have the same plan and be in contact, and the gate says which one does not', () => {
    expect(judge(proxyAnswers, evidenceOf([named('a'), named('b')]))).toEqual([true, '"a", "b" answer']);
    expect(judge(proxyAnswers, evidenceOf([named('a'), 'b']))[1]).toMatch(/^proxy "b" has not answered/);
    const rejected = {
      at: ago(0),
      problems: [{ code: 'X', path: 'proxy.listen', message: 'is wrong', remedy: 'mend' }],
    };
    const behind = named('b', { planRevision: 'old', plan: { revision: 'old', rejected } });
    expect(judge(proxyAnswers, evidenceOf([named('a', { inContact: false }), behind]))).toEqual([
      false,
      '"a" has lost contact to the control plane, so it would not follow a change; "b" runs another revision of the plan (old, here revision): it has rejected a newer one (proxy.listen: is wrong)',
    ]);
  });

  it('one that is silent leaves every gate of the proxies unmet, though the others have enough', () => {
    const evidence = evidenceOf([named('a'), 'b']);
    for (const check of [comparisonsClean, routesCompared, serviceReady, serviceHolds, shareObserved])
      expect(judge(check, evidence, { share: 10 })).toEqual([false, expect.stringContaining('"b"')]);
  });

  it('one that does not know the migration leaves its gates unmet', () => {
    const without = named('b', { migrations: {} });
    expect(judge(comparisonsClean, evidenceOf([named('a'), without]))).toEqual([
      false,
      expect.stringMatching(/^"b" knows no migration "catalog"/),
    ]);
  });

  it('each must have the share in force, which way ever it changes', () => {
    const at = (instance: string, share: number) => proxyEvidence(canaryTraffic(share), { instance });
    for (const [one, other] of [
      [10, 50],
      [50, 10],
    ] as const)
      for (const share of [one, other])
        expect(judge(shareObserved, evidenceOf([at('a', one), at('b', other)]), { share })).toEqual([
          false,
          expect.stringMatching(/has not put \d+ % in force/),
        ]);
    expect(judge(shareObserved, evidenceOf([at('a', 10), at('b', 10)]), { share: 10 })[0]).toBe(true);
  });

  it('failures are counted for each from the last change on; one that started since counts whole', () => {
    const counted = (instance: string, startedAt: string, serviceFailures: number) =>
      proxyEvidence({ ...canaryTraffic(10), serviceFailures }, { instance, startedAt });
    const counters = (instance: string) => ({
      instance,
      startedAt: ago(3_600_000),
      answers: 90,
      failures: 9,
    });
    const proxies = [counters('a'), counters('b')];
    const [last] = historyOf([{ counters: { ...counters('a, b'), answers: 180, failures: 18, proxies } }]);
    if (!last) throw new Error('no event');
    const judged = (...evidence: Parameters<typeof counted>[]) =>
      judge(serviceHolds, evidenceOf(evidence.map((each) => counted(...each))), {
        share: 10,
        standing: { ...copying, last },
      });
    expect(judged(['a', ago(3_600_000), 9], ['b', ago(3_600_000), 9])).toEqual([
      true,
      '0 of 20 answers failed since the last change, allowed 0.10 %',
    ]);
    expect(judged(['a', ago(3_600_000), 9], ['b', ago(60_000), 1])).toEqual([
      false,
      '1 of 110 answers failed since the last change, allowed 0.10 %; of the proxies that counted then, 1 ended, and what they saw is not in this',
    ]);
  });
});
