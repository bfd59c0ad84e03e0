import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Explanation,
  fakeStateSubscription,
  fakeWatermarkSource,
  type Phase,
  testerToken,
} from '@strangler/contracts';
import type { ServerResponse } from 'node:http';
import { fakeFlags } from './fake-flags.js';
import { createRig, eventually, parse, SECRET, type StartedProxy, stateOf } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const TESTERS = { header: 'x-strangler-tester' };

type Setup = { readonly phase?: Phase; readonly withData?: boolean; readonly isLost?: boolean };

/** Two replicas before a legacy and a service, a sync that a test moves, and a clock that a test sets. */
async function world(
  rules: Record<string, unknown> = {},
  { phase = 'canary', withData = true, isLost = false }: Setup = {},
) {
  let clockMs = 1_000;
  let syncMs = 5_000_000;
  let answerWrite = (response: ServerResponse) => void response.end('legacy');
  const cookiesSeen: string[] = [];
  const [legacy, service] = await Promise.all([
    rig.server((request, response) => {
      cookiesSeen.push(request.headers.cookie ?? '');
      if (request.method === 'GET') return void response.end('legacy');
      request.resume().on('end', () => answerWrite(response));
    }),
    rig.server((request, response) => {
      cookiesSeen.push(request.headers.cookie ?? '');
      response.end('service');
    }),
  ]);
  const at = await rig.folder();
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: {
        listen: '127.0.0.1:0',
        admin: '127.0.0.1:0',
        secret: '!env SECRET',
        identity: { user: { header: 'x-user' } },
        testers: TESTERS,
        readYourWrites: rules,
      },
      control: { ledger: '!env LEDGER' },
      flags: { file: 'flags.json' },
      databases: { shop: 'mysql://shop@127.0.0.1:1/shop', own: 'mysql://shop@127.0.0.1:1/own' },
      upstreams: { legacy: { url: legacy.url, timeoutMs: 500 }, catalog: service.url },
      migrations: {
        catalog: {
          owner: 'team',
          upstream: 'catalog',
          routes: ['GET /items/*', 'POST /items/:id'],
          ...(withData && {
            data: {
              from: 'shop',
              to: 'own',
              tables: [{ from: 'a', to: 'b', key: { id: 'id' }, columns: {} }],
            },
          }),
        },
      },
    }).replaceAll(/"(!env \w+)"/g, '$1'),
    at,
  );
  const sync = fakeWatermarkSource(() => syncMs);
  sync.move('catalog', syncMs);
  sync.lose(isLost);
  const subscriptions = [1, 2].map(() => fakeStateSubscription(stateOf(1, phase)));
  const start = (replica: number) =>
    rig.proxy({
      plan,
      flags: fakeFlags({ 'strangler.catalog': 100 }),
      ...(subscriptions[replica] && { subscription: subscriptions[replica] }),
      watermarks: sync,
      now: () => clockMs,
    });
  const replicas = [await start(0), await start(1)] as const;
  const explain = async (headers: Record<string, string>, replica: StartedProxy = replicas[0]) => {
    const query = new URLSearchParams({ path: '/items/1' });
    for (const [name, value] of Object.entries(headers)) query.set(`header.${name}`, value);
    return (await (await fetch(`${replica.admin}/explain?${query.toString()}`)).json()) as Explanation;
  };
  /** The upstream, when both replicas have heard of what sync says now. */
  const heard = async (cookie: string, reason: RegExp) => {
    let upstream = '';
    for (const replica of replicas)
      ({ upstream } = await eventually(
        () => explain({ cookie }, replica),
        (said) => reason.test(said.reason),
      ));
    return upstream;
  };
  const tokenOf = (response: Response): string | undefined =>
    response.headers
      .getSetCookie()
      .find((cookie) => cookie.startsWith('strangler_wrote='))
      ?.replace(/;.*/, '');
  return {
    sync,
    replicas,
    explain,
    heard,
    tokenOf,
    cookiesSeen,
    onWrite: (answer: typeof answerWrite) => {
      answerWrite = answer;
    },
    pass: (milliseconds: number) => {
      clockMs += milliseconds;
      syncMs += milliseconds;
    },
    syncNow: () => syncMs,
    /** What replicas take sync's clock to show is not always equally exact. */
    shiftSync: (milliseconds: number) => {
      syncMs += milliseconds;
      sync.move('search', 0);
    },
    enter: (next: Phase) => Promise.all(subscriptions.map((each) => each.set(stateOf(2, next)))),
    write: (headers: Record<string, string> = {}, path = '/items/1', replica = replicas[0]) =>
      fetch(`${replica.url}${path}`, { method: 'POST', body: 'x', headers }),
    read: async (headers: Record<string, string> = {}, replica = replicas[0]) =>
      (await fetch(`${replica.url}/items/1`, { headers })).text(),
  };
}
/** Watermarks are asked for beside the requests: what a replica knows shows in what it explains. */
const WAITING = /has just written/;
const PASSED = /is on for this client$/;

describe('a client that has written', () => {
  it('reads from legacy in every replica until the watermark has passed its write, then from the service', async () => {
    const { sync, syncNow, pass, heard, tokenOf, write, read, replicas, cookiesSeen } = await world();
    expect(await read()).toBe('service');
    await heard('', PASSED);
    const cookie = tokenOf(await write()) ?? '';
    expect(cookie).toMatch(/^strangler_wrote=fake\./);
    pass(1_000);
    for (const replica of replicas) expect(await read({ cookie }, replica)).toBe('legacy');
    sync.move('catalog', syncNow());
    await heard(cookie, PASSED);
    for (const replica of replicas) expect(await read({ cookie }, replica)).toBe('service');
    // It is between the client and the proxy alone.
    expect(cookiesSeen.join()).not.toContain('strangler_');
  });

  it('has written when legacy answered anything but a safe method, matched or not, well or not', async () => {
    const { tokenOf, write, onWrite, replicas } = await world();
    expect(tokenOf(await write({}, '/elsewhere'))).toBeDefined();
    onWrite((response) => void response.writeHead(500).end());
    expect(tokenOf(await write())).toBeDefined();
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      expect(tokenOf(await fetch(`${replicas[0].url}/elsewhere`, { method }))).toBeUndefined();
  });

  it('is given the time of the head of the answer: what is committed while legacy works is before it', async () => {
    const { sync, syncNow, pass, onWrite, tokenOf, write, heard } = await world();
    let committedAt = 0;
    onWrite((response) => {
      pass(3_000);
      committedAt = syncNow();
      pass(500);
      response.end('legacy');
    });
    const cookie = tokenOf(await write()) ?? '';
    sync.move('catalog', committedAt);
    expect(await heard(cookie, WAITING)).toBe('legacy');
    sync.move('catalog', committedAt + 1_000);
    expect(await heard(cookie, PASSED)).toBe('catalog');
  });

  it('keeps the newer token when it writes again', async () => {
    const { sync, syncNow, pass, tokenOf, write, heard } = await world();
    await heard('', PASSED);
    const first = tokenOf(await write()) ?? '';
    pass(500);
    const second = tokenOf(await write({ cookie: first })) ?? '';
    sync.move('catalog', syncNow() - 100);
    expect(await heard(first, PASSED)).toBe('catalog');
    expect(await heard(second, WAITING)).toBe('legacy');
  });

  it('never has an older token put in the place of a newer one', async () => {
    const { shiftSync, tokenOf, write } = await world();
    const timeOf = (cookie = '') => parseInt(cookie.split('.')[1] ?? '', 36);
    const first = await eventually(
      async () => tokenOf(await write()) ?? '',
      (token) => token.startsWith('strangler_wrote=fake.'),
    );
    shiftSync(-400);
    await eventually(
      async () => {
        shiftSync(0);
        return timeOf(tokenOf(await write()));
      },
      (time) => time < timeOf(first),
    );
    expect(timeOf(tokenOf(await write({ cookie: first })))).toBe(timeOf(first));
  });

  it('without cookies is known by its user on the replica that it wrote to', async () => {
    const { sync, syncNow, pass, read, write, explain } = await world();
    await write({ 'x-user': 'anna' });
    expect([await read({ 'x-user': 'anna' }), await read({ 'x-user': 'ben' })]).toEqual([
      'legacy',
      'service',
    ]);
    pass(1_000);
    sync.move('catalog', syncNow());
    await eventually(
      () => explain({ 'x-user': 'anna' }),
      ({ upstream }) => upstream === 'catalog',
    );
  });

  it('waits no longer than the ceiling, also when sync cannot be asked', async () => {
    const { read, write, pass, tokenOf, sync, explain } = await world({ ceilingMs: 4_000 }, { isLost: true });
    const answer = await write({ 'x-user': 'anna' });
    expect(answer.headers.get('set-cookie')).toMatch(/; Max-Age=4; Path=\/; HttpOnly; SameSite=Lax/);
    const cookie = tokenOf(answer) ?? '';
    expect([await read({ cookie }), await read({ 'x-user': 'anna' })]).toEqual(['legacy', 'legacy']);
    expect(await explain({ cookie })).toMatchObject({
      upstream: 'legacy',
      reason: expect.stringMatching(WAITING),
    });
    pass(4_001);
    expect(await read({ 'x-user': 'anna' })).toBe('service');
    sync.lose(false);
    const known = await eventually(
      async () => tokenOf(await write()) ?? '',
      (token) => token.startsWith('strangler_wrote=fake.'),
    );
    expect(await read({ cookie: known })).toBe('legacy');
    pass(4_500);
    expect(await read({ cookie: known })).toBe('service');
  });

  it('waits for the ceiling when sync was started anew meanwhile: its clock says nothing of the write', async () => {
    const { sync, syncNow, heard, write, tokenOf } = await world();
    await heard('', PASSED);
    const cookie = tokenOf(await write()) ?? '';
    sync.replace('another');
    sync.move('catalog', syncNow() + 60_000);
    const other = tokenOf(await write({}, '/items/2')) ?? '';
    await heard(cookie, WAITING);
    expect(other).not.toBe('');
  });

  it('waits when its write got no answer: nobody knows when it is committed', async () => {
    const { sync, syncNow, write, onWrite, tokenOf, heard } = await world();
    onWrite(() => {});
    const answer = await write();
    expect(answer.status).toBe(504);
    const cookie = tokenOf(answer) ?? '';
    sync.move('catalog', syncNow() + 60_000);
    await heard('', PASSED);
    await heard(cookie, WAITING);
  });

  it('is not held by a forged token', async () => {
    const { write, tokenOf, read } = await world();
    const cookie = tokenOf(await write()) ?? '';
    expect(await read({ cookie: cookie.replace('fake', 'mine') })).toBe('service');
  });
});

describe('no token', () => {
  it.each<[string, object, Setup]>([
    ['where the plan says so', { enabled: false }, {}],
    ['where the migration has no copy to wait for', {}, { withData: false }],
    ['where nothing is diverted yet', {}, { phase: 'syncing' }],
  ])('%s', async (_what, rules, options) => {
    const { write, tokenOf } = await world(rules as Record<string, unknown>, options);
    expect(tokenOf(await write())).toBeUndefined();
  });

  it('but one from shadow on, so that it is there when canary begins', async () => {
    const { write, tokenOf, enter, read } = await world({}, { phase: 'shadow' });
    const cookie = tokenOf(await write()) ?? '';
    await enter('canary');
    expect([await read({ cookie }), await read()]).toEqual(['legacy', 'service']);
  });

  it('before its migration was extracted reads what the service has, and its writes there leave nothing behind', async () => {
    const { enter, tokenOf, write, read, replicas } = await world();
    const cookie = tokenOf(await write()) ?? '';
    expect(await read({ cookie })).toBe('legacy');
    await enter('extracted');
    for (const replica of replicas) expect(await read({ cookie }, replica)).toBe('service');
    expect(tokenOf(await write({ cookie }))).toBeUndefined();
    // Back again, the copy has what was written there: nothing has to be waited for but what legacy was given.
    await enter('canary');
    expect(await read()).toBe('service');
  });
});

describe('a tester', () => {
  it('who asks for the service gets it, and is told that a write is waiting', async () => {
    const { write, tokenOf, replicas } = await world();
    const cookie = tokenOf(await write()) ?? '';
    const tester = testerToken(SECRET, {
      name: 'tess',
      side: 'service',
      migration: '*',
      expiresAt: 60_000,
    });
    const response = await fetch(`${replicas[0].url}/items/1`, {
      headers: { cookie, [TESTERS.header]: tester },
    });
    expect(await response.text()).toBe('service');
    expect(response.headers.get('x-strangler-explain')).toContain('write=waiting');
  });
});
