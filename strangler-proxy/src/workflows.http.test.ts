import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Explanation,
  fakeStateSubscription,
  type Phase,
  type ProxyEvidence,
} from '@strangler/contracts';
import { fakeFlags } from './fake-flags.js';
import { createRig, eventually, parse, type StartedProxy } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const IDLE_MS = 60_000;
type Standing = { readonly phase: Phase; readonly generation: number };

/** A client that keeps its cookies as a browser does. */
type Visitor = { readonly user: string; readonly cookies: Map<string, string>; given: number };
const visitor = (user: string): Visitor => ({ user, cookies: new Map(), given: 0 });
const cookieHeader = ({ cookies }: Visitor) => [...cookies].map((pair) => pair.join('=')).join('; ');

/** Two replicas before two migrations with a service each; every answer says who gave it. */
async function world(workflows: object, canary: object = {}) {
  let clockMs = 1_000_000;
  let isHealthy = true;
  const [legacy, one, two] = await Promise.all(
    ['legacy', 'one', 'two'].map((who) =>
      rig.server((request, response) => {
        const isDown = !isHealthy && who !== 'legacy';
        request.resume().on('end', () => response.writeHead(isDown ? 503 : 200).end(who));
      }),
    ),
  );
  const migration = (upstream: string, routes: readonly string[]) => ({
    owner: 'team',
    upstream,
    routes: routes.map((match) => ({ match, shadow: false })),
    canary,
  });
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: {
        listen: '127.0.0.1:0',
        admin: '127.0.0.1:0',
        secret: '!env SECRET',
        identity: { user: { header: 'x-user' } },
      },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      upstreams: { legacy: legacy?.url, one: one?.url, two: two?.url },
      migrations: {
        one: migration('one', ['GET /a', 'POST /a', 'GET /b', 'GET /free']),
        two: migration('two', ['GET /c']),
      },
      workflows,
    }).replaceAll(/"(!env \w+)"/g, '$1'),
    await rig.folder(),
  );
  const standings: Record<string, Standing> = {
    one: { phase: 'canary', generation: 0 },
    two: { phase: 'canary', generation: 0 },
  };
  let version = 1;
  const state = () => ({
    version: version++,
    migrations: Object.fromEntries(
      Object.entries(standings).map(([name, each]) => [name, { ...each, since: '2026-01-01T00:00:00.000Z' }]),
    ),
  });
  const shares = { 'strangler.one': 100, 'strangler.two': 100 };
  const first = state();
  const running = await Promise.all(
    [0, 1].map(async () => {
      const flags = fakeFlags({ ...shares });
      const subscription = fakeStateSubscription(first);
      return {
        proxy: await rig.proxy({ plan, flags, subscription, now: () => clockMs }),
        flags,
        subscription,
      };
    }),
  );
  const replica = (index: number) => running.at(index)?.proxy as StartedProxy;
  return {
    ask: async (who: Visitor, path: string, at = 0, method = 'GET') => {
      const response = await fetch(`${replica(at).url}${path}`, {
        method,
        headers: { cookie: cookieHeader(who), 'x-user': who.user },
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        who.cookies.set(name, value);
        who.given++;
      }
      return response.text();
    },
    share: (flag: 'one' | 'two', percent: number) => {
      for (const { flags } of running) flags.set(`strangler.${flag}`, percent);
    },
    enter: async (name: 'one' | 'two', phase: Phase, generation = standings[name]?.generation ?? 0) => {
      standings[name] = { phase, generation };
      const next = state();
      for (const { subscription } of running) await subscription.set(next);
    },
    pass: (milliseconds: number) => {
      clockMs += milliseconds;
    },
    setHealthy: (is: boolean) => {
      isHealthy = is;
    },
    explain: async (who: Visitor, path: string) =>
      (await (
        await fetch(
          `${replica(0).admin}/explain?${new URLSearchParams({ path, 'header.cookie': cookieHeader(who), 'header.x-user': who.user }).toString()}`,
        )
      ).json()) as Explanation,
    evidence: async () =>
      ((await (await fetch(`${replica(0).admin}/evidence`)).json()) as ProxyEvidence).migrations,
  };
}
const READS = { browse: { routes: ['GET /a', 'GET /b'], idleMs: IDLE_MS } };
const OVER_BOTH = { browse: { routes: ['GET /a', 'GET /c'], idleMs: IDLE_MS } };

describe('a client inside a workflow', () => {
  it('stays on the side where it entered while the share goes up and down, in every replica', async () => {
    const { ask, share, explain } = await world(READS, { oneWay: false });
    const [early, late] = [visitor('anna'), visitor('ben')];
    expect(await ask(early, '/a')).toBe('one');
    share('one', 0.5);
    expect(await ask(late, '/a')).toBe('legacy');
    expect([await ask(early, '/b', 1), await ask(early, '/free')]).toEqual(['one', 'legacy']);
    share('one', 100);
    expect([await ask(late, '/b', 1), await ask(late, '/free')]).toEqual(['legacy', 'one']);
    expect((await explain(late, '/b')).reason).toBe(
      'the client is inside workflow "browse", which it entered on legacy',
    );
  });

  it('is inside until it has paused for long, and few answers bring a cookie', async () => {
    const { ask, share, pass } = await world(READS, { oneWay: false });
    const anna = visitor('anna');
    await ask(anna, '/a');
    share('one', 0.5);
    for (let visit = 0; visit < 40; visit++) {
      pass(IDLE_MS / 20);
      expect(await ask(anna, '/b')).toBe('one');
    }
    expect(anna.given).toBeLessThan(20);
    pass(IDLE_MS + 1_000);
    expect(await ask(anna, '/b')).toBe('legacy');
  });

  it('is sent back by a flag that is turned off, and does not jump over when it is turned on again', async () => {
    const { ask, share } = await world(READS);
    const anna = visitor('anna');
    expect(await ask(anna, '/a')).toBe('one');
    share('one', 0);
    expect(await ask(anna, '/b')).toBe('legacy');
    share('one', 100);
    expect([await ask(anna, '/a'), await ask(anna, '/free')]).toEqual(['legacy', 'one']);
  });

  it('is let go by a rollback', async () => {
    const { ask, enter, share } = await world(READS);
    const anna = visitor('anna');
    expect(await ask(anna, '/a')).toBe('one');
    share('one', 0.5);
    expect(await ask(anna, '/b')).toBe('one');
    await enter('one', 'shadow', 1);
    await enter('one', 'canary', 1);
    expect(await ask(anna, '/b')).toBe('legacy');
  });

  it('stays inside although legacy answers in place of a service that cannot; whoever enters then decides anew', async () => {
    const { ask, setHealthy, share } = await world(READS, { oneWay: false });
    const [inside, entering] = [visitor('anna'), visitor('ben')];
    await ask(inside, '/a');
    setHealthy(false);
    expect([await ask(inside, '/b'), await ask(entering, '/b')]).toEqual(['legacy', 'legacy']);
    setHealthy(true);
    share('one', 0.5);
    expect([await ask(inside, '/b'), await ask(entering, '/b')]).toEqual(['one', 'legacy']);
  });

  it.each([
    ['another side', (value: string) => value.replace(/^l/, 's')],
    ['a later time', (value: string) => value.replace(/\.[^.]*\./, '.zzzzzzz.')],
    ['another generation', (value: string) => value.replace(/^([^.]*\.[^.]*\.)[^.]*/, '$19')],
    ['no signature', (value: string) => value.replace(/\.[^.]*$/, '.')],
    ['nothing', () => ''],
  ])('is not where a cookie with %s says', async (_what, spoil) => {
    const { ask, share } = await world(READS, { oneWay: false });
    const anna = visitor('anna');
    share('one', 0.5);
    await ask(anna, '/a');
    const [name = '', value = ''] =
      [...anna.cookies].find(([each]) => each === 'strangler_flow_browse') ?? [];
    anna.cookies.set(name, spoil(value));
    share('one', 100);
    expect(await ask(anna, '/b')).toBe('one');
  });
});

describe('a workflow', () => {
  it('over several migrations is diverted only when all of them divert the client', async () => {
    const { ask, share, enter, explain } = await world(OVER_BOTH, { oneWay: false });
    share('two', 0.5);
    expect(await ask(visitor('anna'), '/a')).toBe('legacy');
    expect((await explain(visitor('anna'), '/a')).reason).toBe(
      'the client enters workflow "browse", and not every migration of it ("one", "two") diverts it',
    );
    share('two', 100);
    const anna = visitor('anna');
    expect([await ask(anna, '/a'), await ask(anna, '/c')]).toEqual(['one', 'two']);
    await enter('two', 'shadow', 1);
    expect([await ask(anna, '/a'), await ask(anna, '/c'), await ask(anna, '/b')]).toEqual([
      'legacy',
      'legacy',
      'one',
    ]);
    await enter('two', 'extracted', 1);
    expect([await ask(visitor('ben'), '/a'), await ask(visitor('ben'), '/c')]).toEqual(['one', 'two']);
  });

  it('of which a part belongs to no migration stays on legacy', async () => {
    const { ask } = await world({ browse: ['GET /a', 'GET /elsewhere'] });
    expect([await ask(visitor('anna'), '/a'), await ask(visitor('anna'), '/b')]).toEqual(['legacy', 'one']);
  });

  it('with writes keeps its reads where these go, and gives no cookie', async () => {
    const { ask, enter, explain } = await world({ order: ['* /a', 'GET /b'] });
    const anna = visitor('anna');
    expect([await ask(anna, '/a', 0, 'POST'), await ask(anna, '/a'), await ask(anna, '/b')]).toEqual([
      'legacy',
      'legacy',
      'legacy',
    ]);
    expect([...anna.cookies.keys()]).toEqual([]);
    expect((await explain(anna, '/b')).reason).toMatch(/^workflow "order" has writes/);
    await enter('one', 'extracted');
    expect([await ask(anna, '/a', 0, 'POST'), await ask(anna, '/b')]).toEqual(['one', 'one']);
  });

  it('says nothing of the share where it has decided, and counts who enters', async () => {
    const { ask, evidence } = await world({ ...READS, order: ['POST /a', 'GET /free'] });
    const anna = visitor('anna');
    for (const path of ['/a', '/b', '/a', '/free']) await ask(anna, path);
    await eventually(evidence, (now) => now['one']?.share.requests === 1);
    expect((await evidence())['one']?.share).toMatchObject({ clients: 1, requests: 1, observedClients: 100 });
  });
});

/** mulberry32: the same numbers for the same seed. */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

it.each([1, 2, 3])(
  'nobody is on two sides of a workflow between two pauses, whatever the shares and replicas do (seed %i)',
  async (seed) => {
    const { ask, share, pass } = await world(OVER_BOTH, { oneWay: seed % 2 === 0 });
    const random = randomFrom(seed);
    const upTo = (count: number) => Math.floor(random() * count);
    const visitors = Array.from({ length: 12 }, (_, index) => visitor(`user-${index}`));
    let sides = new Map<Visitor, string>();
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (let step = 0; step < 250; step++) {
      const what = random();
      if (what < 0.2) share(random() < 0.5 ? 'one' : 'two', 1 + upTo(100));
      else if (what < 0.22) {
        pass(IDLE_MS + 2_000);
        sides = new Map();
      } else if (what < 0.3) pass(upTo(500));
      const who = visitors.at(upTo(visitors.length)) as Visitor;
      const answer = await ask(who, random() < 0.5 ? '/a' : '/c', upTo(2));
      const side = answer === 'legacy' ? 'legacy' : 'service';
      if ((sides.get(who) ?? side) !== side) wrong.push(`step ${step}: ${who.user} is on ${side} now`);
      sides.set(who, side);
      seen.add(side);
    }
    expect([wrong, [...seen].toSorted()]).toEqual([[], ['legacy', 'service']]);
  },
);
