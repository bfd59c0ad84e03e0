import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkTls } from './check-tls.js';
import { createRig, eventually, parse } from './proxy.fixture.js';
import { ask, type Certificate, certify, http2Client, putCertificate } from './tls.fixture.js';

const rig = createRig();
afterEach(rig.clean);

async function setup(tls = '') {
  const legacy = await rig.server((request, response) =>
    response.end(`${request.httpVersion} ${request.headers['x-forwarded-proto'] as string}`),
  );
  legacy.server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  const at = await rig.folder();
  const certificate = await certify();
  await putCertificate(at, certificate);
  const plan = parse(
    `version: 1
proxy: { listen: 0, admin: 0, tls: { listen: 0, cert: cert.pem, key: key.pem ${tls} } }
upstreams: { legacy: "${legacy.url}" }`,
    at,
  );
  const lines: string[] = [];
  const proxy = await rig.proxy({ plan, log: pino({}, { write: (line) => void lines.push(line) }) });
  const handshake = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({
      port: Number(new URL(proxy.tls).port),
      host: '127.0.0.1',
      servername: 'shop.test',
      ca: certificate.cert,
      ...options,
    });
    rig.own(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  const metrics = async () => (await fetch(`${proxy.admin}/metrics`)).text();
  return { ...proxy, at, plan, certificate, handshake, lines, metrics };
}

const shown = async (
  handshake: (options?: ConnectionOptions) => Promise<TLSSocket>,
  { cert }: Certificate,
) => {
  const socket = await handshake({ ca: cert });
  socket.destroy();
};

describe('TLS', () => {
  it.each([
    ['HTTP/2', ['h2', 'http/1.1'], 'h2'],
    ['HTTP/1.1', ['http/1.1'], 'http/1.1'],
    ['HTTP/1.1 without being asked', undefined, false],
  ])('speaks %s', async (_what, offered, spoken) => {
    const { handshake } = await setup();
    expect((await handshake(offered ? { ALPNProtocols: offered } : {})).alpnProtocol).toBe(spoken);
  });

  it('serves HTTP/1.1 and HTTP/2 from one address, and upstreams hear that it was https', async () => {
    const { tls, certificate } = await setup();
    const [response] = (await once(
      httpsRequest(tls, { ca: certificate.cert, servername: 'shop.test' }).end(),
      'response',
    )) as [AsyncIterable<Buffer>];
    let body = '';
    for await (const chunk of response) body += chunk.toString();
    expect(body).toBe('1.1 https');
    const session = http2Client(tls, certificate);
    rig.own(() => session.destroy());
    expect((await ask(session, '/')).body).toBe('1.1 https');
  });

  it('leaves the plain listener where it is', async () => {
    const { url } = await setup();
    expect(await (await fetch(url)).text()).toBe('1.1 http');
  });

  it('offers no HTTP/2 where the plan leaves it out, and no version below the plan’s', async () => {
    const { handshake } = await setup(", alpn: ['http/1.1'], minVersion: TLSv1.3");
    expect((await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe('http/1.1');
    await expect(handshake({ ALPNProtocols: ['h2'] })).rejects.toThrow('no application protocol');
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow('protocol version');
  });

  it('carries a WebSocket', async () => {
    const { handshake } = await setup();
    const socket = await handshake({ ALPNProtocols: ['http/1.1'] });
    socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(
      () => text,
      (head) => head.includes('\r\n\r\n'),
    );
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
    socket.write('ping');
    await eventually(
      () => text,
      (all) => all.endsWith('ping'),
    );
  });

  it('is not troubled by those who speak no TLS', async () => {
    const { tls, handshake } = await setup();
    await expect(fetch(tls.replace('https:', 'http:'))).rejects.toThrow('fetch failed');
    expect((await handshake()).authorized).toBe(true);
  });
});

describe('a certificate', () => {
  it('that is renewed is shown to the next client, and connections that are open go on', async () => {
    const { at, tls, certificate, handshake, metrics } = await setup();
    const session = http2Client(tls, certificate);
    rig.own(() => session.destroy());
    await ask(session, '/');
    const next = await certify();
    await putCertificate(at, next);
    await eventually(
      () =>
        shown(handshake, next).then(
          () => true,
          () => false,
        ),
      (is) => is,
    );
    await expect(shown(handshake, certificate)).rejects.toThrow('certificate');
    expect((await ask(session, '/')).body).toBe('1.1 https');
    expect(await metrics()).toMatch(/strangler_proxy_tls_reads_total\{outcome="taken"\} 2/);
  });

  it.each([
    ['is no certificate', (at: string) => writeFile(join(at, 'cert.pem'), 'nonsense')],
    ['does not fit its key', async (at: string) => writeFile(join(at, 'cert.pem'), (await certify()).cert)],
    ['is gone', (at: string) => rm(join(at, 'cert.pem'))],
  ])('that %s leaves the old one in force, and is told', async (_what, spoil) => {
    const { at, certificate, handshake, lines, metrics } = await setup();
    await spoil(at);
    await eventually(
      () => lines.join(''),
      (text) => text.includes('PROXY_TLS_INVALID'),
    );
    await shown(handshake, certificate);
    expect(await metrics()).toMatch(/strangler_proxy_tls_reads_total\{outcome="refused"\} 1/);
    const mended = await certify();
    await putCertificate(at, mended);
    await eventually(
      () =>
        shown(handshake, mended).then(
          () => true,
          () => false,
        ),
      (is) => is,
    );
  });

  it('that cannot be used keeps the proxy from starting, and is a problem before that', async () => {
    const { plan, at } = await setup();
    const { tls } = plan.proxy;
    if (!tls) throw new Error('the plan has TLS');
    expect(await checkTls(plan, tls)).toEqual([]);
    await putCertificate(at, await certify(-1));
    expect(await checkTls(plan, tls)).toMatchObject([{ path: 'proxy.tls', remedy: 'renew it' }]);
    await writeFile(join(at, 'key.pem'), 'nonsense');
    expect(await checkTls(plan, tls)).toMatchObject([{ code: 'TLS_FILES_UNUSABLE', path: 'proxy.tls' }]);
    await expect(rig.proxy({ plan })).rejects.toMatchObject({ code: 'PROXY_TLS_INVALID' });
  });
});
