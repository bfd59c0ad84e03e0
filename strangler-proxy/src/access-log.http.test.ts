import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openAccessLog } from './access-log.js';
import { closedUrl, createRig, eventually, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

async function setup(accessLog: unknown, level = 'info') {
  const legacy = await rig.server((_request, response) => response.end('hello'));
  const lines: string[] = [];
  const proxy = await rig.migration({
    legacy: legacy.url,
    service: await closedUrl(),
    phase: 'canary',
    share: 100,
    proxy: { trusted: ['127.0.0.1'], ...(accessLog !== undefined && { accessLog }) },
    options: { log: pino({ level }, { write: (line) => void lines.push(line) }) },
  });
  return { ...proxy, lines };
}
type Line = Record<string, unknown>;
const parsed = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('"requestId"')).map((line) => JSON.parse(line) as Line);

describe('the access log', () => {
  it('has one line for each request in the plan’s file, written when the proxy has stopped', async () => {
    const { url, get, stop, folder } = await setup({ file: 'access.log' });
    const headers = {
      'x-request-id': 'from-in-front',
      'x-forwarded-for': '203.0.113.77',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    const answer = await get('/cart?token=secret&q=1', { headers });
    expect(answer.headers.get('x-request-id')).toBe('from-in-front');
    await get('/items/1');
    const refused = await rawExchange(url, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await stop();
    const lines = parsed((await readFile(join(folder, 'access.log'), 'utf8')).split('\n'));
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        requestId: 'from-in-front',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        method: 'GET',
        target: '/cart?token=[redacted]&q=1',
        route: 'other',
        upstream: 'legacy',
        shadow: false,
        address: '203.0.113.0',
        by: 'legacy',
        status: 200,
        bytes: 5,
        seconds: expect.any(Number),
        msg: 'no migration of the plan has this route',
      },
      expect.objectContaining({
        route: 'GET /items/*',
        upstream: 'catalog',
        by: 'fallback',
        client: 'anonymous',
        address: '127.0.0.0',
        bytes: 5,
      }),
      expect.objectContaining({ by: 'proxy', status: 400, msg: 'PROXY_REQUEST_REFUSED' }),
    ]);
    expect(refused).toContain(String(lines[2]?.['requestId']));
  });

  it('stands in the log at the level debug when the plan says nothing, and never with false', async () => {
    for (const [accessLog, level, count] of [
      [undefined, 'debug', 1],
      [undefined, 'info', 0],
      [false, 'debug', 0],
    ] as const) {
      const { get, stop, lines } = await setup(accessLog, level);
      await get('/cart');
      await stop();
      expect(parsed(lines)).toHaveLength(count);
    }
  });

  it('has its lines wait for each other, but not for ever, and none is lost at the stop', async () => {
    const pieces: string[] = [];
    const log = pino({ level: 'debug' }, { write: (text) => void pieces.push(text) });
    const { plan } = await setup(undefined);
    const opened = openAccessLog(plan, log);
    for (let count = 0; count < 64; count++) opened.write('line\n');
    expect(pieces).toEqual(['line\n'.repeat(64)]);
    opened.write('late\n');
    expect(pieces).toHaveLength(1);
    expect(
      await eventually(
        () => pieces,
        (all) => all.length === 2,
      ),
    ).toContain('late\n');
    opened.write('last\n');
    await opened.stop();
    expect(pieces[2]).toBe('last\n');
  });

  it('goes to standard output where the plan just says so', async () => {
    const { plan, stop } = await setup(true);
    const log = openAccessLog(plan, pino({ level: 'silent' }));
    expect([log.isOn(), log.level, log.address]).toEqual([true, 30, 'masked']);
    await Promise.all([log.stop(), stop()]);
  });

  it('that cannot be written takes no request along, and no stop', async () => {
    const { get, stop, lines } = await setup({ file: 'not/there/access.log' });
    expect(await (await get('/cart')).text()).toBe('hello');
    await stop();
    expect(lines.join('')).toContain('the access log cannot be written');
  });
});

describe('an error that the proxy answers', () => {
  it('has the id of the request in body and head', async () => {
    const { url } = await rig.migration({
      legacy: await closedUrl(),
      service: await closedUrl(),
      phase: 'legacy',
    });
    const answer = await fetch(url);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f]{32}$/);
    expect(await answer.json()).toMatchObject({
      code: 'PROXY_UPSTREAM_REFUSED',
      requestId: answer.headers.get('x-request-id'),
    });
  });
});

describe('an id that the upstream gives', () => {
  it('gives way to the one that the log knows', async () => {
    const legacy = await rig.server((_request, response) =>
      response.writeHead(200, { 'X-Request-Id': 'of-the-upstream' }).end(),
    );
    const { get } = await rig.migration({ legacy: legacy.url, service: legacy.url, phase: 'legacy' });
    expect((await get('/cart')).headers.get('x-request-id')).toMatch(/^[\da-f]{32}$/);
  });
});

describe('a proxy that is its own upstream', () => {
  it('refuses the second turn', async () => {
    let proxyUrl = '';
    const mirror = await rig.server((request, response) => void reflect(request, response));
    async function reflect(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      delete headers['connection'];
      const answer = await fetch(`${proxyUrl}${request.url}`, { headers });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    }
    const { url, get } = await rig.migration({
      legacy: mirror.url,
      service: mirror.url,
      phase: 'legacy',
      proxy: { via: 'edge' },
    });
    proxyUrl = url;
    const answer = await get('/cart');
    expect(answer.status).toBe(508);
    expect(answer.headers.get('via')).toBe('1.1 edge');
    expect(await answer.json()).toMatchObject({ code: 'PROXY_LOOP' });
  });
});
