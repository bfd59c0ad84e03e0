import { writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Authority, createAuthority, type Pem } from './certificates.fixture.js';
import { createRig, eventually, parse, rawExchange } from './proxy.fixture.js';
import { checkUpstreamTls } from './read-tls.js';

const rig = createRig();
afterEach(rig.clean);

let authority: Authority;
let stranger: Authority;
beforeAll(() => {
  authority = createAuthority('ours');
  stranger = createAuthority('a stranger');
});

const lookup = async () => ['127.0.0.1'];

/** An application that speaks TLS and says by which name it was asked. */
async function secureServer(
  pem: Pem,
  options: ServerOptions = {},
): Promise<{ server: Server; port: number }> {
  const server = createServer({ ...pem, ...options }, (request, response) => {
    const { servername } = request.socket as TLSSocket;
    response.end(JSON.stringify({ sni: servername, host: request.headers.host }));
  });
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\njoined'),
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  rig.own(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function files(): Promise<string> {
  const folder = await rig.folder();
  const client = authority.issue({});
  await writeFile(join(folder, 'ca.pem'), authority.cert);
  await writeFile(join(folder, 'client.pem'), client.cert);
  await writeFile(join(folder, 'client.key'), client.key);
  await writeFile(join(folder, 'other.key'), stranger.issue({}).key);
  return folder;
}

const planOf = (upstream: unknown, folder: string) =>
  parse(
    JSON.stringify({ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: upstream } }),
    folder,
  );

async function before(url: string, tls?: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  const plan = planOf({ url, ...(tls && { tls }), ...rest }, await files());
  return rig.proxy({ plan, lookup });
}

const answerOf = async (response: Response) => {
  const body = (await response.json()) as Record<string, unknown>;
  return [response.status, body['code'] ?? 'answered'];
};

describe('an upstream that speaks TLS', () => {
  const certificates = {
    'for its name': () => authority.issue({ names: ['shop.test'] }),
    'for another name': () => authority.issue({ names: ['other.test'] }),
    'that has expired': () => authority.issue({ names: ['shop.test'], days: -1 }),
    'of a stranger': () => stranger.issue({ names: ['shop.test'] }),
    'for its address': () => authority.issue({ addresses: ['127.0.0.1'] }),
  };
  const OK = [200, 'answered'];
  const UNTRUSTED = [502, 'PROXY_UPSTREAM_UNTRUSTED'];

  it.each<[keyof typeof certificates, string, Record<string, unknown> | undefined, (string | number)[]]>([
    ['for its name', 'shop.test', { ca: 'ca.pem' }, OK],
    ['for its name', 'shop.test', undefined, UNTRUSTED],
    ['for another name', 'shop.test', { ca: 'ca.pem' }, UNTRUSTED],
    ['for another name', 'shop.test', { ca: 'ca.pem', servername: 'other.test' }, OK],
    ['that has expired', 'shop.test', { ca: 'ca.pem' }, UNTRUSTED],
    ['of a stranger', 'shop.test', { ca: 'ca.pem' }, UNTRUSTED],
    ['of a stranger', 'shop.test', { insecure: true }, OK],
    ['for its address', '127.0.0.1', { ca: 'ca.pem' }, OK],
    ['for its name', '127.0.0.1', { ca: 'ca.pem' }, UNTRUSTED],
    ['for its name', '127.0.0.1', { ca: 'ca.pem', servername: 'shop.test' }, OK],
  ])('with a certificate %s, as %s with %j: %j', async (which, host, tls, expected) => {
    const { port } = await secureServer(certificates[which]());
    const { url } = await before(`https://${host}:${port}`, tls);
    // Whom the client wants to talk to has no say in whom the proxy trusts.
    const answer = await rawExchange(
      url,
      'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n',
      500,
    );
    const body = JSON.parse(answer.slice(answer.indexOf('{'))) as { code?: string; message?: string };
    expect([Number(answer.slice(9, 12)), body.code ?? 'answered']).toEqual(expected);
    expect(body.message ?? 'answered').toMatch(/tls\.ca|answered/);
  });

  it('is asked by its own name on one kept connection, whatever hosts clients ask for', async () => {
    const { server, port } = await secureServer(authority.issue({ names: ['shop.test'] }));
    let connections = 0;
    server.on('secureConnection', () => connections++);
    const { url } = await before(`https://shop.test:${port}`, { ca: 'ca.pem' });
    for (const host of ['a.test', 'b.test', 'a.test']) {
      const answer = await rawExchange(url, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answer).toContain(JSON.stringify({ sni: 'shop.test', host }));
    }
    expect(connections).toBe(1);
  });

  it('at an address is sent no name at all (RFC 6066, 3), whatever host the client asks for', async () => {
    const { port } = await secureServer(authority.issue({ addresses: ['127.0.0.1'] }));
    const { url } = await before(`https://127.0.0.1:${port}`, { ca: 'ca.pem' });
    const answer = await rawExchange(url, 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    expect(answer).toContain(JSON.stringify({ sni: false, host: 'shop.test' }));
  });

  it('that wants to see a certificate gets the one of the plan, and refuses a proxy that has none', async () => {
    const { port } = await secureServer(authority.issue({ names: ['shop.test'] }), {
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const known = await before(`https://shop.test:${port}`, {
      ca: 'ca.pem',
      cert: 'client.pem',
      key: 'client.key',
    });
    expect(await answerOf(await fetch(known.url))).toEqual(OK);
    const unknown = await before(`https://shop.test:${port}`, { ca: 'ca.pem' });
    // A server on Node hangs up without the alert that would tell why.
    expect(await answerOf(await fetch(unknown.url))).toEqual([502, 'PROXY_UPSTREAM_RESET']);
  });

  it('is watched and joined over TLS too', async () => {
    const { port } = await secureServer(authority.issue({ names: ['shop.test'] }));
    const health = { path: '/health', intervalMs: 20 };
    const trusted = await before(`https://shop.test:${port}`, { ca: 'ca.pem' }, { health });
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await rawExchange(trusted.url, upgrade)).toMatch(/^HTTP\/1\.1 101 [^]*joined/);
    const untrusted = await before(`https://shop.test:${port}`, undefined, { health });
    expect(await rawExchange(untrusted.url, upgrade)).toMatch(/^HTTP\/1\.1 502 [^]*PROXY_UPSTREAM_UNTRUSTED/);
    const healthy = async (admin: string) => {
      const evidence = (await (await fetch(`${admin}/evidence`)).json()) as {
        upstreams: { legacy: { healthy: boolean } };
      };
      return evidence.upstreams.legacy.healthy;
    };
    expect(
      await eventually(
        () => healthy(untrusted.admin),
        (well) => !well,
      ),
    ).toBe(false);
    expect(await healthy(trusted.admin)).toBe(true);
  });
});

describe('the check of a plan', () => {
  it.each([
    [{ ca: 'nowhere.pem' }, 'nowhere.pem'],
    [{ cert: 'client.pem', key: 'other.key' }, 'key values mismatch'],
    [{ cert: 'ca.pem', key: 'ca.pem' }, 'cannot be used'],
  ])('tells that %j cannot be used', async (tls, reason) => {
    const folder = await files();
    const problems = checkUpstreamTls(planOf({ url: 'https://shop.test', tls }, folder));
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'TLS_UNUSABLE',
        path: 'upstreams.legacy.tls',
        message: expect.stringContaining(reason),
      }),
    ]);
    await expect(rig.proxy({ plan: planOf({ url: 'https://shop.test', tls }, folder) })).rejects.toThrow(
      '"upstreams.legacy.tls',
    );
  });

  it('has nothing to say of files that fit', async () => {
    const tls = { ca: 'ca.pem', cert: 'client.pem', key: 'client.key' };
    expect(checkUpstreamTls(planOf({ url: 'https://shop.test', tls }, await files()))).toEqual([]);
  });
});
