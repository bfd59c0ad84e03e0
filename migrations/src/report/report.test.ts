import { describe, expect, it } from '@jest/globals';
import {
  canaryTraffic,
  evidenceOf,
  mismatched,
  NOW,
  proxyEvidence,
  routeEvidence,
  syncEvidence,
  syncOf,
  traffic,
  verification,
} from '../evidence/evidence.fixture.js';
import { historyOf } from '../ledger/event.fixture.js';
import { planOf } from '../plan.fixture.js';
import { compileReport, type ReportInput } from './compile-report.js';
import { html, Markup } from './markup.js';
import { reportMarkdown } from './markdown.js';
import { reportPage } from './page.js';
import { statusOf } from './report.js';

const plan = planOf();
const revision = { planRevision: plan.revision };
const toShadow = [
  { from: 'legacy', to: 'syncing' },
  { from: 'syncing', to: 'shadow' },
] as const;
const toCanary = [
  ...toShadow,
  { from: 'shadow', to: 'canary', shareTo: 10 },
  { kind: 'share-changed', from: 'canary', to: 'canary', shareFrom: 10, shareTo: 50, why: 'calm night' },
] as const;

const inputOf = (changes: Partial<ReportInput> = {}): ReportInput => ({
  plan,
  history: historyOf(toShadow),
  evidence: evidenceOf(proxyEvidence(traffic(), revision), syncEvidence(syncOf(), revision)),
  shares: { catalog: 0, search: 0 },
  subscribers: [],
  lost: [],
  complaints: [],
  ...changes,
});
const canary = (changes: Partial<ReportInput> = {}) =>
  compileReport(
    inputOf({
      history: historyOf(toCanary),
      evidence: evidenceOf(proxyEvidence(canaryTraffic(50), revision), syncEvidence(syncOf(), revision)),
      shares: { catalog: 50, search: 0 },
      ...changes,
    }),
  );

describe('the report', () => {
  it('says for each migration where it stands and whether its next step is open, in a sentence', () => {
    expect(canary().summary).toEqual([
      '2 migrations: 1 in legacy, 1 in canary',
      '"catalog" (team catalog) is in "canary" with 50 % of clients on the service (observed 50 % of 300); 0 mismatches in the last 800 comparisons: true rate under 0.38 % at 95 %; the copy is 40 ms behind; ready for "canary" at 100 %',
      '"search" (team search) is in "legacy"; ready for "syncing"',
    ]);
  });

  it('holds what the evidence says', () => {
    const [catalog] = canary().migrations;
    expect(catalog).toMatchObject({
      title: 'Catalog & reviews',
      share: { decided: 50, configured: 50, observedClients: 50, clients: 300 },
      served: { legacy: 1_000, service: 100, fallback: 0 },
      comparisons: { match: 800, mismatch: 0, ignored: 6, inconclusive: 2 },
      cleanSinceMismatch: 800,
      verification: { rowsVerified: 2_000, clean: true },
      next: { to: '"canary" at 100 %', ready: true },
      warnings: [],
    });
    expect(catalog?.routes.map(({ route, compared }) => [route, compared])).toEqual([
      ['GET /api/products/:id', true],
      ['GET /api/products', true],
      ['GET /api/products/:id/image', false],
      ['POST /api/products/:id/reviews', false],
    ]);
    expect(catalog?.history.map(({ kind }) => kind)).toEqual([
      'advanced',
      'advanced',
      'advanced',
      'share-changed',
    ]);
  });

  it('asks the same gates as an advance would', () => {
    const report = compileReport(
      inputOf({
        evidence: evidenceOf(
          proxyEvidence(traffic({ routes: [mismatched('GET /api/products/:id', 2)] }), revision),
          syncEvidence(syncOf({ lagMs: 9_000 }), revision),
        ),
      }),
    );
    const unmet = report.migrations[0]?.next.gates.filter(({ met }) => !met).map(({ gate }) => gate);
    expect(unmet).toEqual(['lag', 'comparisons', 'comparisons-per-route']);
    expect(report.summary[1]).toMatch(
      /not yet ready for "canary" at 10 %: lag, comparisons, comparisons-per-route unmet$/,
    );
  });

  it('says at the top of the canary that the next step is a cutover', () => {
    const history = historyOf([
      ...toCanary,
      { kind: 'share-changed', from: 'canary', to: 'canary', shareFrom: 50, shareTo: 100 },
    ]);
    expect(canary({ history, shares: { catalog: 100 } }).migrations[0]?.next).toMatchObject({
      to: null,
      ready: false,
      reason: expect.stringMatching(/use "strangler cutover catalog"/),
    });
  });

  it('warns when the flag was changed by hand, when sync has stopped and when the proxy is behind', () => {
    const { warnings } = canary({
      shares: { catalog: 0 },
      evidence: evidenceOf(
        proxyEvidence(canaryTraffic(0, 'shadow'), revision),
        syncEvidence(syncOf({ problem: 'the binlog was purged' }), revision),
      ),
    }).migrations[0] ?? { warnings: [] };
    expect(warnings).toEqual([
      'sync has stopped: the binlog was purged',
      'the flag says 0 %, the ledger decided 50 %: somebody changed the flag by hand',
      'proxy "proxy-1" still works in phase "shadow"',
    ]);
  });

  it('names a migration that left the plan while it was out', () => {
    const history = historyOf([...toShadow, { migration: 'orders' }]);
    expect(compileReport(inputOf({ history })).warnings).toEqual([
      expect.stringMatching(/^migration "orders" is in "syncing" in the ledger but not in the plan/),
    ]);
  });

  it('adds up by reason what was not compared', () => {
    const routes = [
      routeEvidence('GET /api/products/:id', { notCompared: { 'queue-full': 2, deadline: 1 } }),
      routeEvidence('GET /api/products', { notCompared: { 'queue-full': 3 } }),
    ];
    const report = compileReport(
      inputOf({ evidence: evidenceOf(proxyEvidence(traffic({ routes }), revision)) }),
    );
    expect(report.migrations[0]?.notCompared).toEqual({ 'queue-full': 5, deadline: 1 });
  });

  it('is whole when nobody answers', () => {
    const report = compileReport(
      inputOf({
        evidence: { ...evidenceOf('gone'), sync: { ok: false, reason: 'gone' } },
      }),
    );
    expect(report.migrations[0]).toMatchObject({
      served: null,
      sync: null,
      comparisons: null,
      phase: 'shadow',
    });
    for (const text of [reportPage(report), reportMarkdown(report)]) expect(text).toContain('gone');
  });

  it('as a status leaves out routes and history', () => {
    expect(Object.keys(statusOf(canary()).migrations[0] ?? {})).not.toEqual(
      expect.arrayContaining(['routes']),
    );
    expect(JSON.stringify(statusOf(canary()))).not.toContain('calm night');
  });
});

describe('the formats', () => {
  const hostile = '<script>alert(1)</script> | [x](javascript:1) "quoted" & `code`';
  const report = canary({
    history: historyOf([
      ...toShadow,
      { kind: 'forced', from: 'shadow', to: 'canary', shareTo: 50, by: hostile, why: hostile },
    ]),
    evidence: evidenceOf(
      proxyEvidence(
        {
          ...canaryTraffic(50),
          routes: [
            routeEvidence('GET /api/products/:id', {
              samples: [
                {
                  at: new Date(NOW).toISOString(),
                  request: `GET /api/products/${hostile}`,
                  differences: [{ path: '/name', kind: 'value', control: hostile, candidate: hostile }],
                },
              ],
            }),
          ],
        },
        revision,
      ),
      syncEvidence(syncOf({ verification: verification({ clean: false, driftRows: 1 }) }), revision),
    ),
    shares: { catalog: 50 },
  });

  it('in HTML escape everything that came from outside', () => {
    const page = reportPage(report);
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('Catalog &amp; reviews');
  });

  it('in HTML need nothing from outside', () => {
    const page = reportPage(report);
    expect(page).not.toMatch(/(src|href)=/);
    expect(page).not.toMatch(/url\(|@import/);
    expect(page).toContain("default-src 'none'");
  });

  it('in Markdown break neither out of a table nor into a link', () => {
    const text = reportMarkdown(report);
    expect(text).not.toContain('<script');
    expect(text).not.toMatch(/[^\\]\]\(javascript/);
    for (const line of text.split('\n').filter((one) => one.includes('alert(1)') && one.startsWith('|')))
      expect(line.match(/(?<!\\)\|/g)).toHaveLength(4);
  });

  it('all say the same of phase, share, verdict, lag, drift and history', () => {
    const shown = [reportPage(canary()), reportMarkdown(canary()), JSON.stringify(canary())].map((text) =>
      text.replaceAll('\\_', '_').replaceAll('&quot;', '"').replaceAll('\\"', '"'),
    );
    for (const text of shown)
      for (const said of [
        'canary',
        '50 %',
        '0 mismatches in the last 800 comparisons',
        'team catalog',
        'calm night',
      ])
        expect(text).toContain(said);
    expect(shown[0]).toContain('40 ms');
    expect(shown[1]).toContain('40 ms');
  });
});

describe('markup', () => {
  it('escapes what is put into it, once', () => {
    expect(
      html`<b title="${'"\'>'}">${'<&>'}${new Markup('<i>')}${[1, html`<u>${'&'}</u>`]}${null}</b>`.text,
    ).toBe('<b title="&quot;&#39;&gt;">&lt;&amp;&gt;<i>1<u>&amp;</u></b>');
  });
});
