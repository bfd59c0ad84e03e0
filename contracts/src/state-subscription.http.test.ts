import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeStateSubscription } from './fake-state-subscription.js';
import type { RoutingState } from './routing-state.js';
import { type StateSubscription, subscribeToState } from './state-subscription.js';

const stateOf = (version: number): RoutingState => ({
  version,
  migrations: { catalog: { phase: 'shadow', since: '2026-01-01T00:00:00.000Z' } },
});

type Subject = {
  subscription: StateSubscription;
  publish(state: RoutingState): Promise<void>;
  close(): Promise<void>;
};

/** A control plane of ten lines: answers what it has, and holds a question that is up to date. */
async function httpSubject(): Promise<Subject & { server: Server; asked: string[] }> {
  let latest: RoutingState | undefined;
  let waiting: ServerResponse | undefined;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    asked.push(url.searchParams.get('after') ?? '');
    if (latest && latest.version > Number(url.searchParams.get('after')))
      response.end(JSON.stringify(latest));
    else waiting = response;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    server,
    asked,
    subscription: subscribeToState({
      url,
      subscriber: 'test',
      sleep: () => new Promise((done) => setTimeout(done, 5)),
    }),
    publish: async (state) => {
      latest = state;
      waiting?.end(JSON.stringify(state));
      waiting = undefined;
      await Promise.resolve();
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

async function fakeSubject(): Promise<Subject> {
  const subscription = fakeStateSubscription();
  return Promise.resolve({
    subscription,
    publish: (state) => subscription.set(state),
    close: () => Promise.resolve(),
  });
}

const open: Subject[] = [];
afterEach(async () => {
  for (const subject of open.splice(0)) await subject.close();
});

describe.each([
  ['over HTTP', httpSubject],
  ['the fake', fakeSubject],
])('a state subscription, %s', (_, make) => {
  it('hands over each newer state in order and ends when it is told to', async () => {
    const subject = await make();
    open.push(subject);
    const seen: number[] = [];
    const abort = new AbortController();
    let arrived: () => void = () => {};
    const run = subject.subscription.run((state) => {
      seen.push(state.version);
      arrived();
    }, abort.signal);
    for (const version of [1, 2]) {
      const next = new Promise<void>((done) => (arrived = done));
      await subject.publish(stateOf(version));
      await next;
    }
    abort.abort();
    await run;
    expect(seen).toEqual([1, 2]);
  });
});

describe('a state subscription over HTTP', () => {
  it('acknowledges a version only when it has been put into force', async () => {
    const subject = await httpSubject();
    open.push(subject);
    await subject.publish(stateOf(7));
    const abort = new AbortController();
    let release: () => void = () => {};
    const held = new Promise<void>((done) => (release = done));
    let arrive: () => void = () => {};
    const arrived = new Promise<void>((done) => (arrive = done));
    const run = subject.subscription.run(() => {
      arrive();
      return held;
    }, abort.signal);
    await arrived;
    // Whoever acknowledged at once would have asked again by now.
    await new Promise((done) => setTimeout(done, 50));
    expect(subject.asked).toEqual(['0']);
    release();
    while (subject.asked.length < 2) await new Promise((done) => setTimeout(done, 5));
    expect(subject.asked[1]).toBe('7');
    abort.abort();
    await run;
  });

  it('says once that contact is lost, once that it is back, and goes on', async () => {
    const contacts: boolean[] = [];
    const answers = [new Error('refused'), new Error('refused'), stateOf(3)];
    const seen: number[] = [];
    const abort = new AbortController();
    const subscription = subscribeToState({
      url: 'http://control.invalid',
      subscriber: 'test',
      onContact: ({ lost }) => contacts.push(lost),
      sleep: () => Promise.resolve(),
      fetch: () => {
        const answer = answers.shift();
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve(
          new Response(answer ? JSON.stringify(answer) : null, { status: answer ? 200 : 204 }),
        );
      },
    });
    await subscription.run((state) => {
      seen.push(state.version);
      abort.abort();
    }, abort.signal);
    expect(contacts).toEqual([true, false]);
    expect(seen).toEqual([3]);
  });
});

describe('a subscriber with evidence', () => {
  it('tells its port with each question, and says farewell when it ends', async () => {
    const seen: string[] = [];
    let asked = () => {};
    const first = new Promise<void>((done) => (asked = done));
    const server = createServer(({ method, url, headers }, response) => {
      seen.push(`${method} ${url} ${String(headers['x-strangler-admin-port'] ?? '-')}`);
      if (method === 'DELETE') response.writeHead(204).end();
      else asked();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ending = new AbortController();
    for (const adminPort of [7070, undefined]) {
      const subscription = subscribeToState({ url, subscriber: 'proxy/1', ...(adminPort && { adminPort }) });
      const run = subscription.run(() => {}, adminPort ? ending.signal : AbortSignal.abort());
      await first;
      ending.abort();
      await run;
    }
    expect(seen).toEqual([
      'GET /v1/state?after=0&subscriber=proxy%2F1 7070',
      'DELETE /v1/subscribers/proxy%2F1 -',
    ]);
    server.close().closeAllConnections();
  });

  it('asks again at once when it is told to, though a question is open, and once for many who tell it', async () => {
    const subject = await httpSubject();
    open.push(subject);
    await subject.publish(stateOf(1));
    const abort = new AbortController();
    let arrive: () => void = () => {};
    const arrived = new Promise<void>((done) => (arrive = done));
    const run = subject.subscription.run(() => arrive(), abort.signal);
    await arrived;
    const until = async (count: number) => {
      while (subject.asked.length < count) await new Promise((done) => setTimeout(done, 5));
    };
    await until(2);
    for (let teller = 0; teller < 10; teller++) subject.subscription.askNow?.();
    await until(3);
    abort.abort();
    await run;
    expect(subject.asked).toEqual(['0', '1', '1']);
  });
});
