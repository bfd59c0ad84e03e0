import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type CutoverRig, cutoverRig, openSide } from './cutover.fixture.js';
import { createRig, eventually } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const HOLD = { epoch: 1, hold: true } as const;
const EXTRACTED = { phase: 'extracted', epoch: 1 } as const;

/** The acknowledgement of a state that holds, and whether it has gone. */
function holding(proxy: CutoverRig, at: Parameters<CutoverRig['put']>[0] = HOLD) {
  let isTold = false;
  const told = proxy.put(at).then(() => void (isTold = true));
  return { told, isTold: () => isTold };
}
/** Several turns of everything: what could happen by itself has happened. */
const settle = async (proxy: CutoverRig) => {
  for (let turn = 0; turn < 5; turn++) await proxy.evidence();
};

describe('a state that holds is acknowledged', () => {
  it('at once when nothing is on its way', async () => {
    const proxy = await cutoverRig(rig);
    await proxy.put(HOLD);
    expect(await proxy.writes()).toMatchObject({ held: 0, inFlight: 0 });
  });

  it('when each write that was sent before has its answer, and not before', async () => {
    const proxy = await cutoverRig(rig);
    proxy.legacy.isWaiting = true;
    const answers = [proxy.post(1), proxy.send('DELETE', '/items/2'), proxy.send('POST', '/elsewhere')];
    await proxy.legacy.has(3);
    const { told, isTold } = holding(proxy);
    const held = proxy.post(3);
    await proxy.held(1);
    proxy.legacy.arrived.find(({ what }) => what === 'POST /items/1')?.answer();
    expect((await answers[0])?.status).toBe(200);
    await settle(proxy);
    expect(isTold()).toBe(false);
    proxy.legacy.arrived.find(({ what }) => what === 'DELETE /items/2')?.answer();
    await told;
    proxy.legacy.isWaiting = false;
    for (const one of proxy.legacy.arrived) one.answer();
    await Promise.all(answers);
    await proxy.put(EXTRACTED);
    expect((await held).text).toBe('service');
  });

  it('while a body streams, when it has ended', async () => {
    const proxy = await cutoverRig(rig);
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    rig.own(() => void socket.destroy());
    socket.write('POST /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
    await eventually(
      () => proxy.legacy.begun.length,
      (begun) => begun === 1,
    );
    const { told, isTold } = holding(proxy);
    await settle(proxy);
    expect(isTold()).toBe(false);
    socket.write('more');
    await told;
    expect(proxy.legacy.arrived).toMatchObject([{ body: 'halfmore' }]);
  });

  it('when a client has left, and its write with it', async () => {
    const proxy = await cutoverRig(rig);
    proxy.legacy.isWaiting = true;
    const leaving = new AbortController();
    const answer = proxy.post(1, { signal: leaving.signal });
    await proxy.legacy.has(1);
    const { told } = holding(proxy);
    leaving.abort();
    await expect(answer).rejects.toThrow('abort');
    await told;
  });

  it('when writes that were refused are over: none of them is counted for ever', async () => {
    const proxy = await cutoverRig(rig, {
      routes: [{ match: 'POST /items/:id', rateLimit: { requests: 1, perMs: 3_600_000, by: 'route' } }],
    });
    expect([(await proxy.post(1)).status, (await proxy.post(2)).status]).toEqual([200, 429]);
    await proxy.put(HOLD);
  });

  it('after drainMs at the latest, and the write that is worked on may end', async () => {
    const proxy = await cutoverRig(rig);
    proxy.legacy.isWaiting = true;
    const answer = proxy.post(1);
    await proxy.legacy.has(1);
    const { told, isTold } = holding(proxy);
    await settle(proxy);
    expect(isTold()).toBe(false);
    proxy.fire('drain');
    await told;
    expect((await proxy.writes())?.inFlight).toBe(1);
    for (const one of proxy.legacy.arrived) one.answer();
    expect(await answer).toMatchObject({ status: 200, text: 'legacy' });
    await proxy.inFlight(0);
  });

  it('after drainMs while a connection that was upgraded stays open', async () => {
    const proxy = await cutoverRig(rig);
    const sockets = new WebSocketServer({ server: proxy.legacy.server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const client = new WebSocket(`${proxy.url.replace('http', 'ws')}/items/1`);
    rig.own(() => client.terminate());
    await new Promise((done) => client.once('open', done));
    const { told, isTold } = holding(proxy);
    await settle(proxy);
    expect(isTold()).toBe(false);
    proxy.fire('drain');
    await told;
    const echo = new Promise((done) => client.once('message', (data: Buffer) => done(String(data))));
    client.send('still there');
    expect(await echo).toBe('still there');
  });
});

describe('after the acknowledgement', () => {
  it('a write that was waiting for a place is not sent any more, to either side', async () => {
    const proxy = await cutoverRig(rig, { legacy: { maxInFlight: 1, queueMs: 30_000 } });
    proxy.legacy.isWaiting = true;
    const first = proxy.post(1);
    await proxy.legacy.has(1);
    const second = proxy.post(2);
    await proxy.inFlight(2);
    const { told } = holding(proxy);
    await settle(proxy);
    proxy.fire('drain');
    await told;
    for (const one of proxy.legacy.arrived) one.answer();
    expect((await first).status).toBe(200);
    expect(await second).toEqual({ status: 503, text: 'PROXY_WRITE_LATE', retryAfter: '1' });
    await proxy.put(EXTRACTED);
    expect([...proxy.legacy.got(), ...proxy.service.got()]).toEqual(['POST /items/1']);
  });

  it('one that was waiting for a place goes on where the cutover was given up', async () => {
    const proxy = await cutoverRig(rig, { legacy: { maxInFlight: 1, queueMs: 30_000 } });
    proxy.legacy.isWaiting = true;
    const first = proxy.post(1);
    await proxy.legacy.has(1);
    const second = proxy.post(2);
    await proxy.inFlight(2);
    const { told } = holding(proxy);
    await proxy.put({ epoch: 1 });
    await told;
    proxy.legacy.isWaiting = false;
    for (const one of proxy.legacy.arrived) one.answer();
    expect([(await first).text, (await second).text]).toEqual(['legacy', 'legacy']);
  });

  it('one whose sides changed without a word of it is not sent to the old one', async () => {
    const proxy = await cutoverRig(rig, { legacy: { maxInFlight: 1, queueMs: 30_000 } });
    proxy.legacy.isWaiting = true;
    const first = proxy.post(1);
    await proxy.legacy.has(1);
    const second = proxy.post(2);
    await proxy.inFlight(2);
    // The states in between were missed.
    await proxy.put(EXTRACTED);
    for (const one of proxy.legacy.arrived) one.answer();
    await first;
    expect((await second).text).toBe('PROXY_WRITE_LATE');
    expect(proxy.legacy.got()).toEqual(['POST /items/1']);
  });
});

describe('a write without an answer while writes change sides', () => {
  it('is answered 503 and never sent again, whatever its method', async () => {
    const proxy = await cutoverRig(rig);
    proxy.legacy.isWaiting = true;
    const answers = [proxy.post(1), proxy.send('DELETE', '/items/2'), proxy.send('PUT', '/items/3')];
    await proxy.legacy.has(3);
    const { told } = holding(proxy);
    for (const one of proxy.legacy.arrived) one.answer((response) => response.destroy());
    for (const answer of answers)
      expect(await answer).toEqual({ status: 503, text: 'PROXY_WRITE_UNKNOWN', retryAfter: '1' });
    await told;
    await proxy.put(EXTRACTED);
    expect(proxy.legacy.arrived).toHaveLength(3);
    expect(proxy.service.arrived).toHaveLength(0);
  });

  it('is answered as ever while they do not', async () => {
    const proxy = await cutoverRig(rig);
    proxy.legacy.isWaiting = true;
    const answer = proxy.post(1);
    await proxy.legacy.has(1);
    proxy.legacy.arrived[0]?.answer((response) => response.destroy());
    expect(await answer).toMatchObject({ status: 502, text: 'PROXY_UPSTREAM_RESET' });
  });
});

describe('a service that has heard of a newer epoch', () => {
  const stale = JSON.stringify({ code: 'STALE_EPOCH', message: 'epoch 1 is over' });
  const answering = async (status: number, type: string, body: string) => {
    const [legacy, service] = [await openSide(rig, 'legacy'), await openSide(rig, 'service')];
    service.isWaiting = true;
    const proxy = await cutoverRig(rig, { at: EXTRACTED }, [legacy, service]);
    const send = async (method: string) => {
      const before = service.arrived.length;
      const answer = proxy.send(method, '/items/1');
      await service.has(before + 1);
      service.arrived[before]?.answer((response) =>
        response.writeHead(status, { 'content-type': type }).end(body),
      );
      return answer;
    };
    return { ...proxy, reply: send };
  };

  it('has its 409 turned into a 503, and the newest state is asked for at once', async () => {
    const proxy = await answering(409, 'application/json; charset=utf-8', stale);
    expect(await proxy.reply('POST')).toEqual({ status: 503, text: 'PROXY_STALE_EPOCH', retryAfter: '1' });
    expect(proxy.asked()).toBe(1);
    expect(await proxy.reply('DELETE')).toMatchObject({ status: 503 });
  });

  it.each([
    ['another code', 409, 'application/json', '{"code":"OUT_OF_STOCK"}'],
    ['no JSON', 409, 'text/plain', stale],
    ['broken JSON', 409, 'application/json', stale.slice(1)],
    ['no body', 409, 'application/json', ''],
    [
      'a long body',
      409,
      'application/json',
      JSON.stringify({ code: 'STALE_EPOCH', rest: 'x'.repeat(9_000) }),
    ],
    ['another status', 400, 'application/json', stale],
  ])('has nothing else touched: %s', async (_what, status, type, body) => {
    const proxy = await answering(status, type, body);
    const answer = await proxy.reply('POST');
    expect([answer.status, proxy.asked()]).toEqual([status, 0]);
    expect(answer.text).toBe(/"code":"(\w+)"/.exec(body)?.[1] ?? body);
  });

  it('may say so to a read, which is no business of ours', async () => {
    const proxy = await answering(409, 'application/json', stale);
    expect(await proxy.reply('GET')).toMatchObject({ status: 409, text: 'STALE_EPOCH' });
  });
});
