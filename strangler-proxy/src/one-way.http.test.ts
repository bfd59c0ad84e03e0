import { afterEach, describe, expect, it } from '@jest/globals';
import {
  fakeStateSubscription,
  type Explanation,
  type Phase,
  type ProxyEvidence,
} from '@strangler/contracts';
import { fakeFlags } from './fake-flags.js';
import { createRig, planOf, type StartedProxy, stateOf } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const FLAG = 'strangler.catalog';

/** A client that keeps its cookies as a browser does. */
type Visitor = { readonly user: string | undefined; readonly cookies: Map<string, string>; given: number };
const visitor = (user?: string): Visitor => ({ user, cookies: new Map(), given: 0 });
const cookieHeader = ({ cookies }: Visitor) =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** Replicas with one secret and one plan, each of which can be started anew and told flags and phases on its own. */
async function world(replicas: number, canary: Record<string, unknown> = {}) {
  let serviceStatus = 200;
  const [legacy, service] = await Promise.all([
    rig.server((_request, response) => response.end('legacy')),
    rig.server((_request, response) => {
      response.writeHead(serviceStatus);
      response.end('service');
    }),
  ]);
  const at = await rig.folder();
  const plan = planOf({
    at,
    legacy: legacy?.url ?? '',
    service: service?.url ?? '',
    routes: [{ match: 'GET /items/*', shadow: false }],
    proxy: { identity: { user: { header: 'x-user' } } },
    canary,
  });
  let share = 100;
  let isOn = true;
  let state = stateOf(1, 'canary');
  const start = async () => {
    const flags = fakeFlags({ [FLAG]: share });
    const enabled = {
      ...flags,
      isEnabled: () => isOn,
      isOn: (...asked: Parameters<typeof flags.isOn>) => isOn && flags.isOn(...asked),
    };
    const subscription = fakeStateSubscription(state);
    const proxy = await rig.proxy({ plan, flags: enabled, subscription });
    return { proxy, flags, subscription };
  };
  const running = await Promise.all(Array.from({ length: replicas }, start));
  const ask = async (who: Visitor, proxy: StartedProxy) => {
    const response = await fetch(`${proxy.url}/items/1`, {
      headers: { cookie: cookieHeader(who), ...(who.user !== undefined && { 'x-user': who.user }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      who.cookies.set(name, value);
      who.given++;
    }
    return response.text();
  };
  return {
    running,
    ask: (who: Visitor, replica = 0) => ask(who, running.at(replica)?.proxy as StartedProxy),
    setShare: (next: number) => {
      share = next;
      for (const { flags } of running) flags.set(FLAG, next);
    },
    kill: (is: boolean) => {
      isOn = !is;
    },
    breakService: (status: number) => {
      serviceStatus = status;
    },
    enter: async (phase: Phase, generation: number) => {
      state = stateOf(state.version + 1, phase, generation);
      for (const { subscription } of running) await subscription.set(state);
    },
    restart: async (replica: number) => {
      await running[replica]?.proxy.stop();
      running[replica] = await start();
    },
    evidence: async () =>
      ((await (await fetch(`${running[0]?.proxy.admin}/evidence`)).json()) as ProxyEvidence).migrations[
        'catalog'
      ],
    explain: async (who: Visitor) =>
      (await (
        await fetch(
          `${running[0]?.proxy.admin}/explain?${new URLSearchParams({ path: '/items/1', 'header.cookie': cookieHeader(who), ...(who.user !== undefined && { 'header.x-user': who.user }) }).toString()}`,
        )
      ).json()) as Explanation,
  };
}

/** mulberry32: the same numbers for the same seed. */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

describe('a client that has been on the service', () => {
  it.each([1, 2, 3, 4])(
    'never comes back before a rollback, in any order of shares, restarts and replicas (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const upTo = (count: number) => Math.floor(random() * count);
      const { ask, setShare, enter, restart, kill } = await world(2);
      const visitors = Array.from({ length: 24 }, (_, index) =>
        visitor(index % 2 === 0 ? undefined : `user-${index}`),
      );
      const moved = new Set<Visitor>();
      const wrong: string[] = [];
      const allOnLegacy = async (step: number) => {
        for (const who of visitors)
          if ((await ask(who, upTo(2))) !== 'legacy') wrong.push(`step ${step}: not on legacy`);
      };
      let generation = 0;
      let rollbacks = 0;
      let shrunk = 0;
      let share = 50;
      setShare(share);
      for (let step = 0; step < 60; step++) {
        const what = random();
        if (what < 0.35) {
          const next = upTo(100) + 1;
          if (next < share) shrunk++;
          setShare((share = next));
        } else if (what < 0.45) await restart(upTo(2));
        else if (what < 0.5) {
          await enter('shadow', ++generation);
          await allOnLegacy(step);
          await enter('canary', generation);
          moved.clear();
          rollbacks++;
        } else if (what < 0.55) {
          kill(true);
          await allOnLegacy(step);
          kill(false);
        }
        for (let asked = 0; asked < 8; asked++) {
          const who = visitors.at(upTo(visitors.length)) as Visitor;
          const answer = await ask(who, upTo(2));
          if (moved.has(who) && answer !== 'service') wrong.push(`step ${step}: has moved and is back`);
          if (answer === 'service') moved.add(who);
        }
      }
      expect(wrong).toEqual([]);
      // The walk must have been through what it is about.
      expect([shrunk > 5, rollbacks > 0, moved.size > 0]).toEqual([true, true, true]);
    },
    120_000,
  );

  it('stays when the share shrinks, and whoever has not moved follows the new share', async () => {
    const { ask, setShare, evidence } = await world(1);
    const visitors = Array.from({ length: 60 }, (_, index) => visitor(`user-${index}`));
    setShare(50);
    const before = await Promise.all(visitors.map((who) => ask(who)));
    const there = before.filter((answer) => answer === 'service').length;
    expect(there).toBeGreaterThan(15);
    expect(there).toBeLessThan(45);
    setShare(1);
    expect(await Promise.all(visitors.map((who) => ask(who)))).toEqual(before);
    const newcomers = Array.from({ length: 60 }, (_, index) => visitor(`newcomer-${index}`));
    const answers = await Promise.all(newcomers.map((who) => ask(who)));
    expect(answers.filter((answer) => answer === 'service').length).toBeLessThan(8);
    // Configured, observed, and why the two are apart.
    const share = (await evidence())?.share;
    const pinned = share?.pinned ?? 0;
    expect(pinned).toBeGreaterThanOrEqual(there - 8);
    expect(pinned).toBeLessThanOrEqual(there);
    expect(share).toMatchObject({ configured: 1, clients: 120 });
    expect(share?.observedClients).toBeGreaterThanOrEqual((100 * pinned) / 120 - 0.1);
  });

  it('comes back with a rollback, and is not held by the old pin when the canary begins again', async () => {
    const { ask, setShare, enter, explain } = await world(1);
    const who = visitor('anna');
    expect(await ask(who)).toBe('service');
    await enter('shadow', 1);
    expect(await ask(who)).toBe('legacy');
    setShare(0);
    await enter('canary', 1);
    expect(await ask(who)).toBe('legacy');
    expect(await explain(who)).toMatchObject({ pin: 'stale', upstream: 'legacy' });
    setShare(100);
    expect(await ask(who)).toBe('service');
    expect(await explain(who)).toMatchObject({ pin: 'held' });
  });

  it('comes back at once when the flag is disabled, and goes on where it was when it is enabled again', async () => {
    const { ask, setShare, kill, explain } = await world(1);
    const who = visitor('anna');
    expect(await ask(who)).toBe('service');
    setShare(0);
    kill(true);
    expect(await ask(who)).toBe('legacy');
    kill(false);
    expect(await ask(who)).toBe('service');
    expect((await explain(who)).reason).toContain('has been on "catalog" before and stays there');
  });

  it('has moved only with an answer of the service: a fallback pins nobody', async () => {
    const { ask, setShare, breakService } = await world(1);
    const who = visitor('anna');
    breakService(503);
    expect(await ask(who)).toBe('legacy');
    expect(who.cookies.size).toBe(0);
    breakService(200);
    expect(await ask(who)).toBe('service');
    setShare(0);
    expect([...who.cookies.keys()]).toEqual(['strangler_pin_catalog']);
  });

  it('cannot hand its pin on: a foreign or forged one is ignored, and replaced once the client moves itself', async () => {
    const { ask, setShare, explain } = await world(1);
    const anna = visitor('anna');
    const eve = visitor('eve');
    expect(await ask(anna)).toBe('service');
    setShare(0);
    for (const [name, value] of anna.cookies) eve.cookies.set(name, value);
    expect(await ask(eve)).toBe('legacy');
    expect(await explain(eve)).toMatchObject({ pin: 'invalid' });
    setShare(100);
    expect(await ask(eve)).toBe('service');
    expect(eve.cookies.get('strangler_pin_catalog')).not.toBe(anna.cookies.get('strangler_pin_catalog'));
    expect(await explain(eve)).toMatchObject({ pin: 'held' });
  });

  it('gets its pin once, and none at all where the plan says that it may go back', async () => {
    const { ask } = await world(1);
    const who = visitor('anna');
    await ask(who);
    await ask(who);
    expect(who.given).toBe(1);
    const both = await world(1, { oneWay: false });
    const other = visitor('anna');
    expect(await both.ask(other)).toBe('service');
    both.setShare(0);
    expect(await both.ask(other)).toBe('legacy');
    expect(other.given).toBe(0);
  });

  it('shows its pin to no upstream', async () => {
    const seen: string[] = [];
    const upstream = await rig.server((request, response) => {
      seen.push(request.headers.cookie ?? '');
      response.end();
    });
    const { get } = await rig.migration({
      legacy: upstream.url,
      service: upstream.url,
      phase: 'canary',
      share: 100,
    });
    const cookies = (await get('/items/1')).headers.getSetCookie().map((line) => line.replace(/;.*/, ''));
    expect(cookies).toHaveLength(2);
    await get('/items/1', { headers: { cookie: ['a=b', ...cookies].join('; ') } });
    expect(seen).toEqual(['', 'a=b']);
  });
});
