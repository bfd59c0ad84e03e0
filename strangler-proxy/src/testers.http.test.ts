import { afterEach, describe, expect, it } from '@jest/globals';
import { type Explanation, type Phase, type Tester, testerToken } from '@strangler/contracts';
import { createRig, eventually, SECRET } from './proxy.fixture.js';
import { explainText, type Told } from './tell-tester.js';

const rig = createRig();
afterEach(rig.clean);

const HOUR = 3_600_000;
const token = (more: Partial<Tester> = {}, secret = SECRET) =>
  testerToken(secret, {
    name: 'anna',
    side: 'service',
    migration: 'catalog',
    expiresAt: Date.now() + HOUR,
    ...more,
  });

async function setup(phase: Phase, share = 0, testers: object = { header: 'X-Strangler-Tester' }) {
  const seen: string[] = [];
  const [legacy, service] = await Promise.all(
    ['legacy', 'service'].map((who) =>
      rig.server((request, response) => {
        seen.push(`${who} ${request.method} ${request.rawHeaders.join(' ')}`);
        response.setHeader('X-Strangler-Explain', 'a lie of the upstream');
        response.end(who);
      }),
    ),
  );
  const started = await rig.migration({
    legacy: legacy?.url ?? '',
    service: service?.url ?? '',
    phase,
    share,
    proxy: { testers },
    routes: ['GET /items/*', 'POST /items/*'],
  });
  const ask = async (headers: Record<string, string>, method = 'GET') => {
    const response = await started.get('/items/1', { method, headers });
    return {
      who: await response.text(),
      told: response.headers.get('x-strangler-explain'),
      cookies: response.headers.getSetCookie(),
    };
  };
  return { ...started, ask, seen, service };
}
const show = (text: string) => ({ 'x-strangler-tester': text });

describe('a tester', () => {
  it.each(['shadow', 'canary'] as const)(
    'sees the service in %s though no client is there yet',
    async (phase) => {
      const { ask, evidence } = await setup(phase);
      expect(await ask(show(token()))).toMatchObject({ who: 'service', cookies: [] });
      expect(await ask({})).toMatchObject({ who: 'legacy' });
      expect((await evidence()).migrations['catalog']?.share.clients).toBe(phase === 'canary' ? 1 : 0);
    },
  );

  it('sees legacy where every client is on the service', async () => {
    const { ask } = await setup('canary', 100);
    expect((await ask(show(token({ side: 'legacy' })))).who).toBe('legacy');
    expect((await ask({})).who).toBe('service');
  });

  it('is told the rule, flag, bucket, pin, phase and reason in the answer, by what decided', async () => {
    const { ask, get } = await setup('canary', 100);
    const cookies = (await get('/items/1')).headers.getSetCookie().map((line) => line.replace(/;.*/, ''));
    const { told } = await ask({ ...show(token()), cookie: cookies.join('; ') });
    expect(told).toMatch(
      /^rule=GET \/items\/\*; flag=strangler\.catalog; bucket=\d{1,3}; pin=held; write=none; tester=anna; phase=canary; upstream=catalog; reason=tester "anna" asked for the service$/,
    );
    expect((await ask(show(token()))).told).toContain('bucket=none; pin=none;');
  });

  it('may show the token in a cookie, where the plan says so', async () => {
    const { ask, seen } = await setup('shadow', 0, { cookie: 'strangler_tester' });
    expect((await ask({ cookie: `a=b; strangler_tester=${token()}` })).who).toBe('service');
    expect((await ask(show(token()))).who).toBe('legacy');
    expect(seen.join('\n')).toContain('a=b');
    expect(seen.join('\n')).not.toContain('strangler_tester');
  });

  it.each([
    ['legacy', 'GET', 'legacy'],
    ['syncing', 'GET', 'legacy'],
    ['shadow', 'POST', 'legacy'],
    ['canary', 'POST', 'legacy'],
    ['shadow', 'HEAD', ''],
    ['extracted', 'GET', 'service'],
  ] as const)('in %s, with %s, gets the answer of %s', async (phase, method, who) => {
    const { ask, seen } = await setup(phase);
    const answer = await ask(show(token({ side: phase === 'extracted' ? 'legacy' : 'service' })), method);
    expect(answer.who).toBe(who);
    expect(answer.told === null).toBe(method !== 'HEAD');
    const asked = method === 'HEAD' || phase === 'extracted' ? 'service' : 'legacy';
    expect(seen[0]).toMatch(new RegExp(`^${asked} ${method} `));
  });

  it.each([
    ['a token that is forged', () => `${token().slice(0, -3)}AAA`],
    ['a token of another secret', () => token({}, 'another secret of that length')],
    ['a token that has expired', () => token({ expiresAt: Date.now() - 1 })],
    ['a token for another migration', () => token({ migration: 'search' })],
    ['no token but a word', () => 'service'],
  ])('is nobody with %s: no side, and no word of why', async (_what, make) => {
    const { ask } = await setup('shadow');
    expect(await ask(show(make()))).toEqual({ who: 'legacy', told: null, cookies: [] });
  });

  it('for every migration has a say in each', async () => {
    const { ask } = await setup('shadow');
    expect((await ask(show(token({ migration: '*' })))).who).toBe('service');
  });

  it('is nobody where the plan has no testers', async () => {
    const [legacy, service] = await Promise.all(
      ['legacy', 'service'].map((who) => rig.server((_request, response) => response.end(who))),
    );
    const { get } = await rig.migration({
      legacy: legacy?.url ?? '',
      service: service?.url ?? '',
      phase: 'shadow',
    });
    expect(await (await get('/items/1', { headers: show(token()) })).text()).toBe('legacy');
  });

  it('reaches no upstream with the token, and hears no upstream speak for the proxy', async () => {
    const { ask, seen } = await setup('canary', 100);
    expect((await ask({})).told).toBeNull();
    await ask(show(token()));
    expect(seen.join('\n')).not.toContain('trangler-');
  });

  it('gets the answer of legacy when the service cannot, and is told so', async () => {
    const { ask, service } = await setup('canary', 0);
    await service?.stop();
    const { who, told } = await ask(show(token()));
    expect(who).toBe('legacy');
    expect(told).toMatch(
      /upstream=legacy; reason=tester "anna" asked for the service, which could not answer$/,
    );
  });

  it('is explained on the admin port by the same functions', async () => {
    const { admin, seen } = await setup('shadow');
    const query = new URLSearchParams({ path: '/items/1', 'header.x-strangler-tester': token() });
    const explanation = (await (await fetch(`${admin}/explain?${query.toString()}`)).json()) as Explanation;
    expect(explanation).toMatchObject({
      upstream: 'catalog',
      shadow: false,
      phase: 'shadow',
      tester: { name: 'anna', side: 'service' },
      reason: 'tester "anna" asked for the service',
    });
    expect(seen).toEqual([]);
  });
});

describe('the explanation in a header', () => {
  const told: Told = {
    route: {
      text: 'GET /items/*',
      migration: 'catalog',
      upstream: 'catalog',
      flag: 'strangler.catalog',
      shadow: true,
      workflows: [],
      compare: { ignore: [], unordered: [], redact: [], headers: [] },
    },
    decision: {
      upstream: 'catalog',
      side: 'service',
      shadow: false,
      fallback: true,
      perClient: false,
      reason: '',
    },
    bucket: null,
    pin: null,
    ownWrite: null,
    tester: 'anna',
    phase: 'canary',
    fellBack: false,
  };

  it('stays one value of one header, whatever a reason quotes', () => {
    const reason = 'not healthy (x\r\nSet-Cookie: a=b; upstream=legacy\u0000\u2028é)';
    const text = explainText({ ...told, decision: { ...told.decision, reason } });
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(text.split('; ')).toHaveLength(9);
    expect(text).toContain('reason=not healthy (x??Set-Cookie: a=b? upstream=legacy???)');
    expect(
      explainText({ ...told, decision: { ...told.decision, reason: 'x'.repeat(9_999) } }).length,
    ).toBeLessThan(1_000);
  });
});

describe('the shares in the metrics', () => {
  it('are the configured and the observed one, by migration, and whom pins hold', async () => {
    const upstream = await rig.server((_request, response) => response.end());
    const { admin, get } = await rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase: 'canary',
      share: 100,
    });
    const metrics = async () => (await fetch(`${admin}/metrics`)).text();
    expect(await metrics()).not.toContain('strangler_proxy_share_observed_percent{');
    await (await get('/items/1')).text();
    const text = await eventually(metrics, (seen) => seen.includes('share_observed_percent{'));
    for (const line of [
      'configured_percent{migration="catalog",of="clients"} 100',
      'observed_percent{migration="catalog",of="clients"} 100',
      'observed_percent{migration="catalog",of="requests"} 100',
      'pinned_clients{migration="catalog",of="clients"} 0',
    ])
      expect(text).toContain(`strangler_proxy_share_${line}`);
  });
});
