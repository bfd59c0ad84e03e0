import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closedUrl, createRig, eventually, type MigrationSetup } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const json =
  (value: unknown): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };

/** A migration in shadow. Waiting before asking again takes as long as the test wants. */
async function setup(
  legacy: RequestListener,
  service: RequestListener | string,
  more: Partial<MigrationSetup> & { sleep?: () => Promise<void> } = {},
) {
  const control = await rig.server(legacy);
  const candidate = typeof service === 'string' ? service : (await rig.server(service)).url;
  const { sleep = async () => {}, ...rest } = more;
  const proxy = await rig.migration({
    legacy: control.url,
    service: candidate,
    phase: 'shadow',
    ...rest,
    options: { sleep },
  });
  const route = async () => {
    const found = (await proxy.evidence()).migrations['catalog']?.routes[0];
    if (!found) throw new Error('the route is not in the evidence');
    return found;
  };
  const compared = async (count = 1) =>
    eventually(
      route,
      ({ comparisons }) => Object.values(comparisons).reduce((sum, each) => sum + each) >= count,
    );
  const notCompared = async (reason: string, count = 1) =>
    eventually(route, (seen) => (seen.notCompared[reason] ?? 0) >= count);
  return { ...proxy, route, compared, notCompared };
}

describe('a shadow', () => {
  it('asks the service what legacy was asked, marked, without conditions, and compares', async () => {
    const seen: unknown[] = [];
    const { get, compared } = await setup(json({ a: 1 }), (request, response) => {
      seen.push({ url: request.url, ...request.headers });
      json({ a: 1 })(request, response);
    });
    const headers = {
      cookie: 'sid=1',
      'if-none-match': '"1"',
      range: 'bytes=0-1',
      accept: 'application/json',
    };
    await (await get('/items/1?q=%20x', { headers })).text();
    expect((await compared()).comparisons).toEqual({ match: 1, mismatch: 0, ignored: 0, inconclusive: 0 });
    expect(seen).toEqual([
      expect.objectContaining({ url: '/items/1?q=%20x', cookie: 'sid=1', 'x-strangler-shadow': '1' }),
    ]);
    expect(seen[0]).not.toHaveProperty('if-none-match');
    expect(seen[0]).not.toHaveProperty('range');
  });

  it('tells what differs, where and when, and starts counting anew', async () => {
    const { get, compared } = await setup(
      (request, response) => json({ price: 10, note: 'a' })(request, response),
      (request, response) =>
        json({ price: request.url?.includes('bad') ? 11 : 10, note: 'a' })(request, response),
    );
    await get('/items/1');
    await get('/items/2');
    await compared(2);
    await get('/items/bad?token=abc');
    const seen = await compared(3);
    expect(seen).toMatchObject({
      comparisons: { match: 2, mismatch: 1 },
      cleanSinceMismatch: 0,
      lastMismatchAt: expect.any(String),
      samples: [
        {
          request: 'GET /items/bad?token=[redacted]',
          differences: [{ path: '/price', kind: 'value', control: '10', candidate: '11' }],
        },
      ],
    });
    await get('/items/1');
    expect((await compared(4)).cleanSinceMismatch).toBe(1);
  });

  it('keeps the newest samples and no more than the plan allows', async () => {
    const { get, compared } = await setup(json({ a: 1 }), json({ a: 2 }), {
      proxy: { shadow: { samples: 2 } },
    });
    for (let count = 1; count <= 4; count++) {
      await get(`/items/${count}`);
      await compared(count);
    }
    const { samples, comparisons } = await compared(4);
    expect(comparisons.mismatch).toBe(4);
    expect(samples.map(({ request }) => request)).toEqual(['GET /items/3', 'GET /items/4']);
  });

  it('undoes compression on both sides', async () => {
    const packed = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync };
    const { get, compared } = await setup(
      (request, response) => {
        const name = (request.url ?? '').split('/').at(-1) as keyof typeof packed;
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': name });
        response.end(packed[name]('{"a":1}'));
      },
      json({ a: 1 }),
    );
    for (const name of Object.keys(packed))
      await get(`/items/${name}`, { headers: { 'accept-encoding': name } });
    expect((await compared(3)).comparisons.match).toBe(3);
  });

  it('follows the rules of the plan', async () => {
    const { get, compared } = await setup(
      json({ at: 1, tags: ['a', 'b'] }),
      json({ at: 2, tags: ['b', 'a'] }),
      { compare: { ignore: ['/at'], unordered: ['/tags'] } },
    );
    await get('/items/1');
    expect((await compared()).comparisons.match).toBe(1);
  });

  it('is not asked for what changes something, what the plan exempts, and outside shadow and canary', async () => {
    let asked = 0;
    const proxy = await setup(
      json({}),
      (request, response) => {
        asked++;
        json({})(request, response);
      },
      { routes: ['* /items/*', { match: 'GET /stream', shadow: false }] },
    );
    await proxy.get('/items/1', { method: 'POST', body: 'x' });
    await proxy.get('/items/1', { method: 'HEAD' });
    await proxy.get('/stream');
    await proxy.get('/elsewhere');
    await proxy.enter('syncing');
    await proxy.get('/items/1');
    await proxy.enter('legacy');
    await proxy.get('/items/1');
    await delay(100);
    expect(asked).toBe(0);
  });

  it('goes on in canary for the clients that are on legacy', async () => {
    const { get, compared } = await setup(json({ a: 1 }), json({ a: 1 }), { phase: 'canary', share: 0 });
    await get('/items/1');
    expect((await compared()).comparisons.match).toBe(1);
  });
});

describe('a mismatch', () => {
  it('that is gone when both are asked again was lag: it is counted as ignored', async () => {
    let [version, copy] = [2, 1];
    const { get, compared } = await setup(
      (request, response) => json({ version })(request, response),
      (request, response) => json({ version: copy })(request, response),
      { sleep: async () => void (copy = ++version) },
    );
    expect(await (await get('/items/1')).json()).toEqual({ version: 2 });
    const seen = await compared();
    expect(seen.comparisons).toMatchObject({ ignored: 1, mismatch: 0 });
    expect(seen.samples).toEqual([]);
  });

  it('at another place the second time is neither a mismatch nor a match', async () => {
    let later = false;
    const { get, compared } = await setup(
      json({ a: 1, b: 1 }),
      (request, response) => json(later ? { a: 1, b: 2 } : { a: 2, b: 1 })(request, response),
      { sleep: async () => void (later = true) },
    );
    await get('/items/1');
    expect((await compared()).comparisons).toMatchObject({ inconclusive: 1, mismatch: 0 });
  });

  it('is inconclusive when nobody can be asked again', async () => {
    let legacyIsThere = true;
    const { get, compared } = await setup(
      (request, response) =>
        legacyIsThere ? json({ a: 1 })(request, response) : void request.socket.destroy(),
      json({ a: 2 }),
      { sleep: async () => void (legacyIsThere = false) },
    );
    await get('/items/1');
    expect((await compared()).comparisons.inconclusive).toBe(1);
  });

  it('by a failing service counts at once: it must not be talked away by asking again', async () => {
    let asked = 0;
    const { get, compared } = await setup(json({ a: 1 }), (request, response) => {
      if (asked++ > 0) return json({ a: 1 })(request, response);
      response.writeHead(500);
      return response.end();
    });
    await get('/items/1');
    expect((await compared()).comparisons.mismatch).toBe(1);
    expect(asked).toBe(1);
  });
});

describe('the client’s answer is the same, and what is not compared is counted, when the service', () => {
  const faults: [string, string, (socket: Socket) => void][] = [
    ['resets', 'service-unreachable', (socket) => socket.resetAndDestroy()],
    ['is a black hole', 'deadline', () => {}],
    [
      'drips',
      'deadline',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
        const drip = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    [
      'is endless',
      'too-large',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        const more = () => {
          while (!socket.destroyed && socket.write(`1000\r\n${'x'.repeat(4_096)}\r\n`));
        };
        socket.on('drain', more);
        more();
      },
    ],
    [
      'dies in the middle of an answer',
      'service-unreachable',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc');
        setTimeout(() => socket.resetAndDestroy(), 20);
      },
    ],
  ];
  const proxy = { shadow: { deadlineMs: 200, maxBodyBytes: 65_536, concurrency: 4, queue: 8 } };

  it('refuses', async () => {
    const { get, notCompared } = await setup(json({ a: 1 }), await closedUrl(), { proxy });
    expect(await (await get('/items/1')).json()).toEqual({ a: 1 });
    expect((await notCompared('service-unreachable')).comparisons.match).toBe(0);
  });

  it.each(faults)('%s', async (_what, reason, act) => {
    const service = await rig.tcpServer((socket) => socket.on('data', () => act(socket)));
    const { get, notCompared, evidence } = await setup(json({ a: 1 }), service.url, { proxy });
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, service.sockets.size)), 5);
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => (await get(`/items/${index}`)).text()),
    );
    expect(new Set(answers)).toEqual(new Set(['{"a":1}']));
    await notCompared(reason, 4);
    const counted = async () => {
      const { notCompared: lost } = (await evidence()).migrations['catalog']?.routes[0] ?? {
        notCompared: {},
      };
      return Object.values<number>(lost).reduce((sum, each) => sum + each, 0);
    };
    expect(await eventually(counted, (sum) => sum === 40)).toBe(40);
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(4);
    expect((await evidence()).requests).toEqual({ total: 40, failed: 0 });
    expect(
      await eventually(
        () => service.sockets.size,
        (count) => count <= 4,
      ),
    ).toBeLessThanOrEqual(4);
  });
});

describe('what cannot be compared is counted:', () => {
  const proxy = { shadow: { maxBodyBytes: 1_000, concurrency: 1, queue: 1, deadlineMs: 5_000 } };
  it.each([
    ['legacy-failed', json({}), 500, {}],
    ['partial', json({}), 304, {}],
    ['streamed', json({}), 200, { 'content-type': 'text/event-stream' }],
    ['too-large', json({}), 200, { 'content-type': 'text/plain', 'x-big': '1' }],
    ['encoding', json({}), 200, { 'content-encoding': 'rot13' }],
  ] as const)('%s', async (reason, service, status, headers) => {
    const { get, notCompared } = await setup(
      (_request, response) => {
        response.writeHead(status, headers);
        if (status === 304) response.end();
        else response.end('x-big' in headers ? 'x'.repeat(2_000) : 'x');
      },
      service,
      { proxy },
    );
    await (await get('/items/1')).text();
    expect((await notCompared(reason)).notCompared).toEqual({ [reason]: 1 });
  });

  it('legacy-failed, when legacy cannot be reached', async () => {
    const dead = await rig.migration({
      legacy: await closedUrl(),
      service: await closedUrl(),
      phase: 'shadow',
    });
    expect((await dead.get('/items/1')).status).toBe(502);
    const { migrations } = await dead.evidence();
    expect(migrations['catalog']?.routes[0]?.notCompared).toEqual({ 'legacy-failed': 1 });
  });

  it('client-left, when nobody waited for the control', async () => {
    const { get, notCompared } = await setup(() => {}, json({}), { proxy });
    await expect(get('/items/1', { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
    expect((await notCompared('client-left')).notCompared).toEqual({ 'client-left': 1 });
  });

  it('queue-full, and the room comes back', async () => {
    let held: (() => void)[] = [];
    const { get, notCompared, compared } = await setup(
      json({ a: 1 }),
      (request, response) => void held.push(() => json({ a: 1 })(request, response)),
      { proxy },
    );
    for (let count = 0; count < 5; count++) await (await get(`/items/${count}`)).text();
    expect((await notCompared('queue-full', 3)).notCompared).toEqual({ 'queue-full': 3 });
    const answer = setInterval(() => {
      for (const each of held) each();
      held = [];
    }, 10);
    await compared(2);
    await (await get('/items/9')).text();
    expect((await compared(3)).comparisons.match).toBe(3);
    clearInterval(answer);
  });
});
