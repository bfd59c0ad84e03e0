import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeStateSubscription, fakeWatermarkSource, type Plan } from '@strangler/contracts';
import { request as httpsRequest } from 'node:https';
import { cutoverRig } from './cutover.fixture.js';
import { fakeFlags } from './fake-flags.js';
import type { PlanSource } from './plan-file.js';
import {
  closedUrl,
  createRig,
  eventually,
  parse,
  planOf,
  type StartedProxy,
  stateOf,
} from './proxy.fixture.js';
import { newKeyFile } from './session.fixture.js';
import { certify, putCertificate } from './tls.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const counters = async ({ admin }: StartedProxy) => {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const of = (name: string) => Number(new RegExp(`^strangler_proxy_${name} (\\d+)`, 'm').exec(text)?.[1]);
  return { carried: of('express_requests_total'), handedOver: of('handed_over_total') };
};

/** A plan source that a test turns to another plan. */
function turning(first: Plan): PlanSource & { turn(plan: Plan): void } {
  let plan = first;
  return {
    turn: (next) => void (plan = next),
    load: async () => ({ ok: true, plan, warnings: () => [] }),
    watch: async () => ({ stop() {} }),
  };
}

/** One kept connection; `ask` gives the answer to the next request. */
function keep(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  rig.own(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  return {
    async ask(path: string, method = 'GET'): Promise<string> {
      text = '';
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return eventually(
        () => text,
        (all) => /\r\n\r\n[^]/.test(all),
      );
    },
  };
}

describe('a plan and the express lane', () => {
  const planOver = (legacy: string, proxy: Record<string, unknown> = {}) =>
    parse(JSON.stringify({ version: 1, proxy: { listen: 0, admin: 0, ...proxy }, upstreams: { legacy } }));

  it('gives up a connection for a write that is held, and keeps those that read', async () => {
    const proxy = await cutoverRig(rig);
    const [reads, writes] = [keep(proxy.url), keep(proxy.url)];
    await reads.ask('/items/1');
    await writes.ask('/items/1');
    await proxy.put({ epoch: 1, hold: true });
    const answer = writes.ask('/items/1', 'POST');
    await proxy.held(1);
    await reads.ask('/items/1');
    expect(await counters(proxy)).toEqual({ carried: 3, handedOver: 1 });
    await proxy.put({ phase: 'extracted', epoch: 1 });
    expect(await answer).toMatch(/service$/);
  });

  it('is followed by kept connections, and lines of an upstream that it does not have any more are closed', async () => {
    const olds = await rig.tcpServer((socket) => socket.on('data', () => void socket.write(OK)));
    const next = await rig.server((_request, response) => void response.end('next'));
    const source = turning(planOver(olds.url));
    const proxy = await rig.proxy({ plan: planOver(olds.url), source });
    const client = keep(proxy.url);
    expect(await client.ask('/a')).toMatch(/ok$/);
    expect(olds.sockets.size).toBe(1);

    source.turn(planOver(next.url));
    await proxy.reload();
    await eventually(
      () => olds.sockets.size,
      (count) => count === 0,
    );
    expect(await client.ask('/a')).toMatch(/next$/);
    expect(await counters(proxy)).toEqual({ carried: 2, handedOver: 0 });
  });

  it('stays that of a request until it is served: its line is closed after it', async () => {
    const release: (() => void)[] = [];
    const olds = await rig.tcpServer((socket) =>
      socket.on('data', () => void release.push(() => socket.write(OK))),
    );
    const next = await rig.server((_request, response) => void response.end('next'));
    const source = turning(planOver(olds.url));
    const proxy = await rig.proxy({ plan: planOver(olds.url), source });
    const answer = keep(proxy.url).ask('/a');
    await eventually(
      () => release.length,
      (count) => count === 1,
    );
    source.turn(planOver(next.url));
    await proxy.reload();
    expect(await keep(proxy.url).ask('/a')).toMatch(/next$/);
    expect(olds.sockets.size).toBe(1);
    release[0]?.();
    expect(await answer).toMatch(/ok$/);
    expect(
      await eventually(
        () => olds.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });

  it('that says what the lane does not know leaves all to node:http, also on connections that are there', async () => {
    const legacy = await rig.server((_request, response) => void response.end('ok'));
    const traced = planOver(legacy.url, { tracing: { otlp: 'http://127.0.0.1:9/v1/traces' } });
    const source = turning(planOver(legacy.url));
    const spanSink = { export: async () => true, stop: async () => {} };
    const proxy = await rig.proxy({ plan: planOver(legacy.url), source, spanSink });
    const client = keep(proxy.url);
    await client.ask('/a');
    source.turn(traced);
    await proxy.reload();
    expect(await client.ask('/b')).toMatch(/ok$/);
    expect(await keep(proxy.url).ask('/c')).toMatch(/ok$/);
    expect(await counters(proxy)).toEqual({ carried: 1, handedOver: 1 });
  });

  it('with a TLS listener has plain connections alone in the lane', async () => {
    const legacy = await rig.server((request, response) =>
      response.end(request.headers['x-forwarded-proto'] as string),
    );
    const at = await rig.folder();
    const certificate = await certify();
    await putCertificate(at, certificate);
    const tls = { listen: 0, cert: 'cert.pem', key: 'key.pem', alpn: ['http/1.1'] };
    const plan = { ...planOver(legacy.url, { tls }), folder: at };
    const proxy = await rig.proxy({ plan });
    expect(await keep(proxy.url).ask('/a')).toMatch(/http$/);
    expect(await (await fetch(`${proxy.url}/b`)).text()).toBe('http');
    const { port } = new URL(proxy.tls);
    const options = { port, host: '127.0.0.1', servername: 'shop.test', ca: certificate.cert };
    expect(
      await new Promise((done) => httpsRequest(options, ({ statusCode }) => done(statusCode)).end()),
    ).toBe(200);
    expect(await counters(proxy)).toEqual({ carried: 2, handedOver: 0 });
  });

  const copied = {
    data: { from: 'shop', to: 'own', tables: [{ from: 'a', to: 'b', key: { id: 'id' }, columns: {} }] },
  };
  const withData = (legacy: string): Plan => {
    const plan = planOf({ at: '/nowhere', legacy, service: legacy });
    const { catalog } = plan.migrations;
    return {
      ...plan,
      migrations: { catalog: { ...catalog, ...copied } as unknown as NonNullable<typeof catalog> },
    };
  };
  const replica = (plan: Plan) =>
    rig.proxy({
      plan,
      flags: fakeFlags({ 'strangler.catalog': 100 }),
      subscription: fakeStateSubscription(stateOf(1, 'canary')),
      watermarks: fakeWatermarkSource(() => 5_000_000),
    });

  it('that has clients read their own writes gives its token in the lane too, with an answer and without one', async () => {
    const legacy = await rig.server((asked, response) => {
      asked.resume().on('end', () => response.end('ok'));
    });
    const post = async ({ url }: StartedProxy) => {
      const response = await fetch(`${url}/items/1`, { method: 'POST', body: 'a' });
      return [response.status, response.headers.getSetCookie().join().split('=')[0]];
    };
    const proxy = await replica(withData(legacy.url));
    expect(await post(proxy)).toEqual([200, 'strangler_wrote']);
    expect(await counters(proxy)).toEqual({ carried: 1, handedOver: 0 });
    const dead = await replica(withData(await closedUrl()));
    expect(await post(dead)).toEqual([502, 'strangler_wrote']);
    expect(await counters(dead)).toEqual({ carried: 1, handedOver: 0 });
  });

  it('that asks who comes has requests with a session, a token or for the keys in node:http, and all others in the lane', async () => {
    const legacy = await rig.server((_request, response) => void response.end('ok'));
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: legacy.url,
      phase: 'canary',
      routes: [{ match: 'GET /mine', session: 'optional' }],
      proxy: {
        identity: { user: { claim: 'sub' } },
        auth: { shop: { jwks: 'http://127.0.0.1:9/keys', audience: 'shop' } },
        sessionBridge: {
          cookie: 'sid',
          introspect: { path: '/me', map: { sub: '/id' } },
          token: { issuer: 'shop', keys: [{ file: await newKeyFile(await rig.folder(), 'key.pem') }] },
          jwks: { public: '/keys.json' },
        },
      },
    });
    const handedOver = async (path: string, headers: Record<string, string> = {}): Promise<boolean> => {
      const before = await counters(proxy);
      await (await proxy.get(path, { headers: { ...headers, connection: 'close' } })).text();
      const after = await counters(proxy);
      expect(after.carried + after.handedOver).toBe(before.carried + before.handedOver + 1);
      return after.handedOver > before.handedOver;
    };
    expect(await handedOver('/any')).toBe(false);
    expect(await handedOver('/any', { cookie: 'other=1', authorization: 'Basic eDp5' })).toBe(false);
    expect(await handedOver('/any', { cookie: 'other=1; sid=s' })).toBe(true);
    expect(await handedOver('/any', { authorization: 'Bearer x' })).toBe(true);
    expect(await handedOver('/keys.json')).toBe(true);
    expect(await handedOver('/mine')).toBe(true);
  });
});
