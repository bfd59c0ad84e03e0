import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { fakeStateSubscription } from '@strangler/contracts';
import { cutoverPlanText, cutoverRig, openSide, stateAt } from './cutover.fixture.js';
import { planFile } from './plan-file.js';
import { createRig, ENVIRONMENT, eventually, parse } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const HOLD = { epoch: 1, hold: true } as const;
const EXTRACTED = { phase: 'extracted', epoch: 1 } as const;

describe('a write of a migration whose writes change sides', () => {
  it('is held before anything of it goes anywhere, and goes to the new side, whole, with the epoch', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const answer = proxy.post(1);
    await proxy.held(1);
    expect([proxy.legacy.begun.length, proxy.service.begun.length]).toEqual([0, 0]);
    await proxy.put(EXTRACTED);
    expect(await answer).toMatchObject({ status: 200, text: 'service' });
    expect(proxy.service.arrived).toMatchObject([{ what: 'POST /items/1', epoch: '1', body: 'body of 1' }]);
    expect(proxy.legacy.begun).toHaveLength(0);
    expect(await proxy.writes()).toMatchObject({ held: 0, inFlight: 0, released: 1, refused: 0, left: 0 });
    expect((await proxy.writes())?.lastHoldMs).toEqual(expect.any(Number));
    expect(await proxy.metrics()).toContain(
      'strangler_proxy_held_writes_total{migration="catalog",outcome="released"} 1',
    );
  });

  it('goes to the old side when the cutover was given up, and nothing is said of an epoch there', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const answer = proxy.post(1);
    await proxy.held(1);
    await proxy.put({ epoch: 1 });
    expect(await answer).toMatchObject({ status: 200, text: 'legacy' });
    expect(proxy.legacy.arrived).toMatchObject([{ epoch: undefined, body: 'body of 1' }]);
  });

  it('goes back to legacy after a rollback', async () => {
    const proxy = await cutoverRig(rig, { at: EXTRACTED });
    await proxy.put({ phase: 'extracted', epoch: 2, hold: true });
    const answer = proxy.post(1);
    await proxy.held(1);
    await proxy.put({ phase: 'canary', epoch: 2 });
    expect(await answer).toMatchObject({ text: 'legacy' });
    expect(proxy.service.begun).toHaveLength(0);
  });

  it('comes out in the order in which it came', async () => {
    // One at a time, so that what is sent first comes first.
    const proxy = await cutoverRig(rig, { service: { maxInFlight: 1, queue: 0 } });
    await proxy.put(HOLD);
    const ids = Array.from({ length: 12 }, (_, index) => index);
    const answers: ReturnType<typeof proxy.post>[] = [];
    for (const id of ids) {
      answers.push(proxy.post(id));
      await proxy.held(id + 1);
    }
    await proxy.put(EXTRACTED);
    await Promise.all(answers);
    expect(proxy.service.got()).toEqual(ids.map((id) => `POST /items/${id}`));
  });

  it('stays held when another attempt begins before it was let go, and when one follows at once', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const answer = proxy.post(1);
    await proxy.held(1);
    await proxy.put({ epoch: 2, hold: true });
    // Both in one turn: between them it is let go and judged, and must be held again or be on its way to legacy alone.
    await Promise.all([proxy.put({ epoch: 2 }), proxy.put({ epoch: 3, hold: true })]);
    await proxy.put({ phase: 'extracted', epoch: 3 });
    await answer;
    expect([...proxy.legacy.got(), ...proxy.service.got()]).toEqual(['POST /items/1']);
  });

  it('leaves reads, and writes of others, as they were', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    expect(await proxy.send('GET', '/items/1')).toMatchObject({ status: 200 });
    expect(await proxy.send('POST', '/elsewhere')).toMatchObject({ status: 200, text: 'legacy' });
  });

  it.each(['DELETE', 'OPTIONS', 'PUT', 'PATCH'])('may be a %s', async (method) => {
    const proxy = await cutoverRig(rig, { routes: [`${method} /items/:id`] });
    await proxy.put(HOLD);
    const answer = proxy.send(method, '/items/1');
    await proxy.held(1);
    await proxy.put(EXTRACTED);
    expect(await answer).toMatchObject({ status: 200, text: 'service' });
  });

  it('may be a GET with a body', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    rig.own(() => void socket.destroy());
    socket.write('GET /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab');
    await proxy.held(1);
    await proxy.put(EXTRACTED);
    await proxy.service.has(1);
    expect(proxy.service.arrived[0]).toMatchObject({ what: 'GET /items/1', body: 'ab' });
  });

  it('may be an offer to upgrade', async () => {
    const proxy = await cutoverRig(rig);
    const sockets = new WebSocketServer({ server: proxy.legacy.server });
    await proxy.put(HOLD);
    const client = new WebSocket(`${proxy.url.replace('http', 'ws')}/items/1`);
    rig.own(() => client.terminate());
    await proxy.held(1);
    const connected = once(sockets, 'connection');
    await proxy.put({ epoch: 1 });
    await Promise.all([connected, once(client, 'open')]);
    expect(await proxy.writes()).toMatchObject({ held: 0, inFlight: 1 });
    client.terminate();
    await proxy.inFlight(0);
  });

  it('keeps its body with the client: what is held is bounded, and the rest is not read', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const [pieces, piece] = [512, Buffer.alloc(65_536, 7)];
    let pulled = 0;
    const body = new ReadableStream<Buffer>({
      pull(controller) {
        controller.enqueue(piece);
        if (++pulled === pieces) controller.close();
      },
    });
    const answer = proxy.post(1, { body, duplex: 'half' } as RequestInit);
    await proxy.held(1);
    // Buffers of the system take some megabytes of it at most.
    expect(pulled).toBeLessThan(pieces);
    await proxy.put(EXTRACTED);
    expect((await answer).status).toBe(200);
    expect(proxy.service.arrived[0]?.body).toHaveLength(pieces * piece.length);
  });
});

describe('a write that cannot be held', () => {
  it.each([
    ['there are too many', { maxRequests: 1 }],
    ['they are too large', { maxBytes: 400 }],
  ])('because %s, is answered 503 and comes again', async (_why, hold) => {
    const proxy = await cutoverRig(rig, { hold });
    await proxy.put(HOLD);
    const first = proxy.post(1);
    await proxy.held(1);
    expect(await proxy.post(2, { body: 'x'.repeat(300) })).toEqual({
      status: 503,
      text: 'PROXY_HOLD_FULL',
      retryAfter: '1',
    });
    await proxy.put(EXTRACTED);
    expect((await first).status).toBe(200);
    expect(proxy.service.got()).toEqual(['POST /items/1']);
    expect(await proxy.writes()).toMatchObject({ released: 1, refused: 1 });
    expect(await proxy.metrics()).toContain('refused_total{code="PROXY_HOLD_FULL"} 1');
  });

  it('because it took too long, is answered 503 and sent nowhere', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const answer = proxy.post(1);
    await proxy.held(1);
    proxy.fire('hold');
    expect(await answer).toEqual({ status: 503, text: 'PROXY_HOLD_TIMEOUT', retryAfter: '1' });
    await proxy.put(EXTRACTED);
    expect(await proxy.post(2)).toMatchObject({ status: 200 });
    expect([...proxy.legacy.got(), ...proxy.service.got()]).toEqual(['POST /items/2']);
  });

  it('because the proxy stops, is answered 503 and sent nowhere', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const answer = proxy.post(1);
    await proxy.held(1);
    await Promise.all([
      proxy.stop(),
      expect(answer).resolves.toMatchObject({ status: 503, text: 'PROXY_STOPPING', retryAfter: '1' }),
    ]);
    expect([...proxy.legacy.begun, ...proxy.service.begun]).toEqual([]);
  });

  it('because its client hung up, is sent nowhere', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const leaving = new AbortController();
    const answer = proxy.post(1, { signal: leaving.signal });
    await proxy.held(1);
    leaving.abort();
    await expect(answer).rejects.toThrow('abort');
    await proxy.held(0);
    await proxy.put(EXTRACTED);
    expect((await proxy.post(2)).status).toBe(200);
    expect(proxy.service.got()).toEqual(['POST /items/2']);
    expect((await proxy.writes())?.left).toBe(1);
  });
});

describe('admission', () => {
  it('counts a held write once, and before it is held', async () => {
    const rateLimit = { requests: 1, perMs: 3_600_000, by: 'route' };
    const proxy = await cutoverRig(rig, { routes: [{ match: 'POST /items/:id', rateLimit }] });
    await proxy.put(HOLD);
    const first = proxy.post(1);
    await proxy.held(1);
    expect((await proxy.post(2)).status).toBe(429);
    await proxy.put(EXTRACTED);
    expect((await first).status).toBe(200);
    expect((await proxy.post(3)).status).toBe(429);
  });

  it('gives it no place while it is held, and a place where it goes then, however many wait with it', async () => {
    const proxy = await cutoverRig(rig, {
      legacy: { maxInFlight: 1, queue: 0 },
      service: { maxInFlight: 1, queue: 0 },
      proxy: { overload: { maxInFlight: 1, queue: 0 } },
    });
    await proxy.put(HOLD);
    const answers = [1, 2, 3].map((id) => proxy.post(id));
    await proxy.held(3);
    expect(await proxy.send('GET', '/elsewhere')).toMatchObject({ status: 200 });
    await proxy.put(EXTRACTED);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('what goes on meanwhile', () => {
  it('a plan that is loaded anew keeps who is held, and sends it once', async () => {
    const [legacy, service] = [await openSide(rig, 'legacy'), await openSide(rig, 'service')];
    const folder = await rig.folder();
    const file = join(folder, 'plan.yaml');
    const text = cutoverPlanText(legacy.url, service.url, {});
    await writeFile(file, text);
    const source = planFile(file, ENVIRONMENT, pino({ level: 'silent' }));
    const proxy = await cutoverRig(rig, { options: { source, plan: parse(text, folder) } }, [
      legacy,
      service,
    ]);
    await proxy.put(HOLD);
    const before = proxy.post(1);
    await proxy.held(1);
    const changed = { more: { title: 'another' }, hold: { maxRequests: 5 } };
    await writeFile(file, cutoverPlanText(legacy.url, service.url, changed));
    const { revision } = parse(text, folder);
    await eventually(
      async () => (await proxy.reload(), (await proxy.evidence()).planRevision),
      (now) => now !== revision,
    );
    const after = proxy.post(2);
    await proxy.held(2);
    await proxy.put(EXTRACTED);
    expect([(await before).text, (await after).text]).toEqual(['service', 'service']);
    expect(service.got().toSorted()).toEqual(['POST /items/1', 'POST /items/2']);
    expect(legacy.got()).toEqual([]);
  });

  it('a proxy that starts with a state that holds goes on holding, until the control plane says more', async () => {
    const folder = await rig.folder();
    const stateFile = join(folder, 'state.json');
    await writeFile(stateFile, JSON.stringify(stateAt(7, HOLD)));
    const silent = fakeStateSubscription();
    const proxy = await cutoverRig(rig, { proxy: { stateFile }, options: { subscription: silent } });
    const answer = proxy.post(1);
    await proxy.held(1);
    await silent.set(stateAt(8, EXTRACTED));
    expect((await answer).text).toBe('service');
    expect(proxy.legacy.begun).toHaveLength(0);
  });

  it('two proxies hold and let go, each by itself', async () => {
    const sides = [await openSide(rig, 'legacy'), await openSide(rig, 'service')] as const;
    const proxies = [await cutoverRig(rig, {}, sides), await cutoverRig(rig, {}, sides)] as const;
    await Promise.all(proxies.map((proxy) => proxy.put(HOLD)));
    const answers = proxies.map((proxy, index) => proxy.post(index));
    await Promise.all(proxies.map((proxy) => proxy.held(1)));
    await proxies[0].put(EXTRACTED);
    expect((await answers[0])?.text).toBe('service');
    expect((await proxies[1].writes())?.held).toBe(1);
    await proxies[1].put(EXTRACTED);
    expect((await answers[1])?.text).toBe('service');
    expect(sides[0].begun).toHaveLength(0);
  });

  it('whoever asks is told that such a write is held', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    const { text } = await (async () => {
      const response = await fetch(`${proxy.admin}/explain?method=POST&path=/items/1`);
      return { text: await response.text() };
    })();
    expect(text).toContain('writes are changing sides');
  });
});

it('what a client says of an epoch goes nowhere', async () => {
  const proxy = await cutoverRig(rig, { at: { phase: 'extracted', epoch: 4 } });
  await proxy.post(1, { headers: { 'x-strangler-epoch': '9' } });
  await proxy.send('GET', '/items/1', { headers: { 'x-strangler-epoch': '9' } });
  expect(proxy.service.arrived.map(({ epoch }) => epoch)).toEqual(['4', undefined]);
});
