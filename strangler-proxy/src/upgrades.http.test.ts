import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { createRig, eventually, parse, rawExchange } from './proxy.fixture.js';
import { wantsUpgrade } from './wants-upgrade.js';

const rig = createRig();
afterEach(rig.clean);

const before = async (legacy: string) =>
  rig.proxy({
    plan: parse(JSON.stringify({ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy } })),
  });
const joined = async () => {
  const legacy = await rig.server(() => {});
  const sockets = new WebSocketServer({ server: legacy.server, maxPayload: 16 * 1_048_576 });
  const { url } = await before(legacy.url);
  const client = new WebSocket(url.replace('http', 'ws'), ['chat'], { maxPayload: 16 * 1_048_576 });
  rig.own(() => client.terminate());
  const [service] = (await once(sockets, 'connection')) as [WebSocket];
  if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
  return { client, service };
};
const asking = (protocol: string, method = 'GET') =>
  `${method} / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('a WebSocket', () => {
  it('carries frames of megabytes both ways, and the protocol that was agreed', async () => {
    const { client, service } = await joined();
    const frame = Buffer.alloc(8 * 1_048_576, 7);
    service.on('message', (data) => service.send(data));
    client.send(frame);
    const [echo] = (await once(client, 'message')) as [Buffer];
    expect(echo.equals(frame)).toBe(true);
    expect(client.protocol).toBe('chat');
  });

  it('carries pings, and the code and reason it is closed with, from both sides', async () => {
    const { client, service } = await joined();
    const pinged = once(client, 'ping');
    service.ping('alive');
    expect(String(((await pinged) as [Buffer])[0])).toBe('alive');
    const ponged = once(service, 'pong');
    await ponged;
    const closed = once(service, 'close');
    client.close(4_001, 'enough');
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4_001, 'enough']);

    const other = await joined();
    const told = once(other.client, 'close');
    other.service.close(1_013, 'later');
    expect(((await told) as [number])[0]).toBe(1_013);
  });
});

describe('an upgrade', () => {
  it.each([
    [401, 'WWW-Authenticate: Basic realm="shop"'],
    [426, 'Upgrade: websocket'],
  ])('that legacy refuses with %i is answered with all of the refusal', async (status, header) => {
    const upstream = await rig.tcpServer((socket) =>
      socket.once('data', () =>
        socket.end(
          `HTTP/1.1 ${status} No\r\n${header}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nreason`,
        ),
      ),
    );
    const { url } = await before(upstream.url);
    const answer = await rawExchange(url, asking('websocket'));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*${header}[^]*\r\n\r\nreason$`, 'i'));
  });

  it('to another protocol joins client and legacy, which agree by its name', async () => {
    let seen = '';
    const upstream = await rig.tcpServer((socket) =>
      socket.on('data', (chunk) => {
        const text = chunk.toString();
        if (seen !== '') return void socket.write(`echo ${text}`);
        seen = text;
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shop-feed/2\r\n\r\n',
        );
      }),
    );
    const { url } = await before(upstream.url);
    const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    rig.own(() => void client.destroy());
    let got = '';
    client.on('data', (chunk) => (got += chunk.toString()));
    client.write(asking('shop-feed/2'));
    await eventually(
      () => got,
      (text) => /101 [^]*upgrade: shop-feed\/2/i.test(text),
    );
    client.write('hello');
    await eventually(
      () => got,
      (text) => text.endsWith('echo hello'),
    );
    expect(seen).toMatch(/\r\nupgrade: shop-feed\/2\r\n/i);
  });

  it('to another version of HTTP, or of a request with a body, is answered as a plain request', async () => {
    const legacy = await rig.server((request, response) => response.end(`plain ${request.headers.upgrade}`));
    const { url } = await before(legacy.url);
    for (const text of [asking('h2c'), asking('HTTP/2.0, TLS/1.2'), asking('websocket', 'POST')])
      expect(await rawExchange(url, text)).toMatch(/^HTTP\/1\.1 200 [^]*plain undefined/);
  });

  it('names what it wants without offers of the connection', () => {
    const wanted = (upgrade: string) => wantsUpgrade({ method: 'GET', headers: { upgrade } });
    expect(wanted('h2c, websocket')).toBe('websocket');
    expect(wanted('foo/1,  bar')).toBe('foo/1, bar');
    expect(wanted(' ')).toBeUndefined();
  });
});
