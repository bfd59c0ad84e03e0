import { afterEach, describe, expect, it } from '@jest/globals';
import { createRig, eventually, writeFlags } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const CLIENTS = 1_000;

async function setup(share: number, proxy: Record<string, unknown> = {}) {
  const [legacy, service] = await Promise.all(
    ['legacy', 'service'].map((who) => rig.server((_request, response) => response.end(who))),
  );
  const started = await rig.migration({
    legacy: legacy?.url ?? '',
    service: service?.url ?? '',
    phase: 'canary',
    share,
    proxy,
    routes: [{ match: 'GET /items/*', shadow: false }],
    // What the flag alone does; pins have tests of their own.
    canary: { oneWay: false },
  });
  const ask = async (headers: Record<string, string>) => {
    const response = await started.get('/items/1', { headers });
    return { who: await response.text(), cookie: response.headers.get('set-cookie') };
  };
  const observed = async () => (await started.evidence()).migrations['catalog']?.share;
  const setShare = async (next: number) => {
    await writeFlags(started.folder, next);
    await eventually(observed, (seen) => seen?.configured === next);
  };
  return { ...started, ask, observed, setShare };
}

/** All clients, a few at a time. */
async function everyone<T>(each: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < CLIENTS; start += 50)
    results.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => each(start + index)))));
  return results;
}
const percentOnService = (answers: readonly { who: string }[]) =>
  (answers.filter(({ who }) => who === 'service').length / answers.length) * 100;

describe('a thousand anonymous clients', () => {
  it.each([
    [10, 6.5, 13.5],
    [50, 44.5, 55.5],
    [100, 100, 100],
  ])('at %i %% are diverted in that share, and each stays on its side', async (share, least, most) => {
    const { ask, observed } = await setup(share);
    const first = await everyone(() => ask({}));
    expect(percentOnService(first)).toBeGreaterThanOrEqual(least);
    expect(percentOnService(first)).toBeLessThanOrEqual(most);
    const cookies = first.map(({ cookie }) => (cookie ?? '').replace(/;.*/, ''));
    expect(new Set(cookies).size).toBe(CLIENTS);
    const again = await everyone((index) => ask({ cookie: `other=1; ${cookies[index] ?? ''}` }));
    expect(again.map(({ who }) => who)).toEqual(first.map(({ who }) => who));
    expect(again.every(({ cookie }) => cookie === null)).toBe(true);
    expect(await observed()).toMatchObject({
      configured: share,
      observedClients: Math.round(percentOnService(first) * 10) / 10,
      observedRequests: Math.round(percentOnService(first) * 10) / 10,
      clients: CLIENTS,
      requests: 2 * CLIENTS,
    });
  });
});

describe('a thousand users', () => {
  it.each([
    [10, 6.5, 13.5],
    [50, 44.5, 55.5],
    [100, 100, 100],
  ])(
    'at %i %% are diverted in that share, each on its side, and get no cookie',
    async (share, least, most) => {
      const { ask } = await setup(share, { identity: { user: { header: 'x-user' } } });
      const user = (index: number) => ask({ 'x-user': `user-${index}` });
      const first = await everyone(user);
      expect(percentOnService(first)).toBeGreaterThanOrEqual(least);
      expect(percentOnService(first)).toBeLessThanOrEqual(most);
      expect((await everyone(user)).map(({ who }) => who)).toEqual(first.map(({ who }) => who));
      expect(first.every(({ cookie }) => cookie === null)).toBe(true);
    },
  );

  it('stay on the service while the share grows, and all leave it when the flag goes off', async () => {
    const { ask, setShare, observed } = await setup(10, { identity: { user: { cookie: 'uid' } } });
    const user = (index: number) => ask({ cookie: `uid=${index}` });
    const few = await everyone(user);
    const before = await observed();
    await setShare(50);
    expect((await observed())?.since).not.toBe(before?.since);
    expect(await observed()).toMatchObject({ observedClients: null, observedRequests: null, clients: 0 });
    const more = await everyone(user);
    expect(few.every(({ who }, index) => who === 'legacy' || more[index]?.who === 'service')).toBe(true);
    await setShare(0);
    expect(percentOnService(await everyone(user))).toBe(0);
  });
});

describe('the anonymous cookie', () => {
  it('is given only where the flag decided', async () => {
    const { get, enter } = await setup(100);
    expect((await get('/elsewhere')).headers.get('set-cookie')).toBeNull();
    expect((await get('/items/1', { method: 'POST', body: 'x' })).headers.get('set-cookie')).toBeNull();
    await enter('shadow');
    expect((await get('/items/1')).headers.get('set-cookie')).toBeNull();
  });

  it('is replaced when it is forged, and is Secure when the client came by https', async () => {
    const { ask } = await setup(100);
    const { cookie } = await ask({ cookie: 'strangler_id=me.forged', 'x-forwarded-proto': 'https' });
    expect(cookie).toMatch(/^strangler_id=(?!me\.)[\w-]+\.[\w-]{43};.*; Secure/);
  });

  it('comes along with the cookies of the answer and changes none', async () => {
    const upstream = await rig.server((_request, response) => {
      response.writeHead(200, { 'set-cookie': ['a=1; Path=/x', 'b=2'] });
      response.end();
    });
    const { get } = await rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase: 'canary',
      share: 100,
      canary: { oneWay: false },
    });
    const cookies = (await get('/items/1')).headers.getSetCookie();
    expect(cookies).toEqual(['a=1; Path=/x', 'b=2', expect.stringMatching(/^strangler_id=/)]);
  });
});
