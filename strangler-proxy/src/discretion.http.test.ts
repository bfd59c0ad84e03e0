import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bearerOf, testerToken } from '@strangler/contracts';
import { createRig, eventually, flagsText, rawExchange, SECRET } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

/** None of these may be found in anything the proxy writes or tells; each is sent where requests carry such a thing. */
const SECRETS = {
  password: 'p4ssw0rd-of-ann',
  bearer: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4tMTIzIn0.c2lnbmF0dXJl',
  basic: 'YW5uOnRoZS1iYXNpYy1wYXNzd29yZA==',
  cookie: 'session-of-ann-77',
  query: 'query-token-of-ann',
  encoded: 'encoded-token-of-ann',
  body: 'body-secret-of-ann',
  mail: 'ann@example.test',
  answer: 'answer-secret-of-ann',
  userinfo: 'userinfo-password',
};
const TOKEN = 'the-admin-token-of-the-proxy';

describe('what the proxy writes and tells', () => {
  it('holds no secret of a request, an answer or the plan, whatever becomes of the request', async () => {
    const written: string[] = [];
    const log = pino(
      { level: 'trace' },
      new Writable({ write: (chunk: Buffer, _encoding, done) => (written.push(chunk.toString()), done()) }),
    );
    const side = (name: string) =>
      rig.server((request, response) => {
        if (request.url?.startsWith('/items/cut')) return void request.socket.destroy();
        response.writeHead(request.url?.startsWith('/items/500') ? 500 : 200, {
          'content-type': 'application/json',
          'set-cookie': `login=${SECRETS.answer}`,
        });
        response.end(
          JSON.stringify({ token: `${SECRETS.answer}-${name}`, name: 'ann', password: SECRETS.answer }),
        );
      });
    const [legacy, service] = [await side('legacy'), await side('service')];
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: service.url,
      phase: 'shadow',
      routes: ['* /items/*'],
      proxy: {
        adminToken: '!env ADMIN_TOKEN',
        testers: { header: 'x-strangler-tester' },
        identity: { user: { header: 'x-user' } },
        limits: { targetBytes: 512, bodyBytes: 64, headBytes: 4_096 },
        paths: { ambiguous: 'refuse' },
      },
      options: { log },
    });
    await writeFile(join(proxy.folder, 'flags.json'), flagsText(100));
    const tester = testerToken(SECRET, {
      name: 'tess',
      side: 'service',
      migration: '*',
      expiresAt: Date.now() + 60_000,
    });
    const headers =
      `Host: shop.test\r\nAuthorization: Bearer ${SECRETS.bearer}\r\nProxy-Authorization: Basic ${SECRETS.basic}\r\n` +
      `Cookie: sid=${SECRETS.cookie}; strangler_id=forged.${SECRETS.cookie}\r\nX-Strangler-Tester: ${tester}x\r\nX-Api-Key: ${SECRETS.query}\r\nConnection: close\r\n`;
    const query = `?a=1&password=${SECRETS.password}&access_token=${SECRETS.query}&%74oken=${SECRETS.encoded}&email=${SECRETS.mail}`;
    const body = JSON.stringify({ secret: SECRETS.body });
    const withBody = `${headers}Content-Length: ${body.length}\r\n`;
    const told: string[] = [];
    for (const request of [
      `GET /items/1${query} HTTP/1.1\r\n${headers}\r\n`,
      `GET /items/500${query} HTTP/1.1\r\n${headers}\r\n`,
      `GET /items/cut${query} HTTP/1.1\r\n${headers}\r\n`,
      `GET /other${query} HTTP/1.1\r\n${headers}\r\n`,
      `POST /items/1${query} HTTP/1.1\r\n${withBody}\r\n${body}`,
      // Each of these is refused in a way of its own.
      `POST /items/1${query} HTTP/1.1\r\n${headers}Content-Length: 100\r\n\r\n${body.padEnd(100)}`,
      `GET /items//1${query} HTTP/1.1\r\n${headers}\r\n`,
      `GET /items/1${query}${'x'.repeat(512)} HTTP/1.1\r\n${headers}\r\n`,
      `GET /items/1${query} HTTP/1.1\r\n${headers}X: ${SECRETS.cookie.repeat(300)}\r\n\r\n`,
      `GET /items/1${query} HTTP/1.1\r\n${headers}Host: other.test\r\n\r\n`,
      `GET http://ann:${SECRETS.userinfo}@shop.test/items/1${query} HTTP/1.1\r\n${headers}\r\n`,
      `GET /items/1${query} HTTP/1.1\r\n${headers}Authorization : ${SECRETS.bearer}\r\n\r\n`,
      `GET /items/1${query} HTTP/1.1\r\n${withBody}Transfer-Encoding: chunked\r\n\r\n${body}`,
      `GET /items/1${query} HTTP/1.1\r\n${headers}Transfer-Encoding: ${SECRETS.bearer}, chunked\r\n\r\n0\r\n\r\n`,
      `CONNECT ann:${SECRETS.userinfo}@shop.test:443 HTTP/1.1\r\n${headers}\r\n`,
    ]) {
      const answer = await rawExchange(proxy.url, request, 60);
      // The bodies of the proxy's own answers; those of the application are its own affair.
      if (answer.includes('"code":"PROXY_')) told.push(answer);
    }
    expect(told.length).toBeGreaterThanOrEqual(10);

    const ask = async (path: string) => {
      const answer = await fetch(`${proxy.admin}${path}`, { headers: bearerOf(TOKEN) });
      return `${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`;
    };
    const question =
      `/explain?path=${encodeURIComponent(`/items/1${query}`)}&header.authorization=Bearer%20${SECRETS.bearer}` +
      `&cookie.sid=${SECRETS.cookie}&header.x-user=ann`;
    await eventually(
      () => ask('/evidence'),
      (text) => text.includes('"samples":[{'),
    );
    const unasked = await (await fetch(`${proxy.admin}/evidence`)).text();
    const admin = [await ask('/evidence'), await ask('/metrics'), unasked];
    // The one who asks gets the question back; the answer of a question belongs to who asked it.
    const explained = (await ask(question)).replaceAll(JSON.stringify(`/items/1${query}`), '');
    const all = [...written, ...told, ...admin, explained].join('\n');
    expect(all).toContain('[redacted]');
    expect(written.join('')).toContain('/items/1?a=1&password=[redacted]');
    const found = [...Object.values(SECRETS), SECRET, TOKEN, tester].filter((secret) => all.includes(secret));
    expect(found).toEqual([]);
    // Operators see instances by their address; clients never.
    expect(told.join('\n')).not.toContain(new URL(legacy.url).host);
  });
});
