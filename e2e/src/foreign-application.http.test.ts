import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from './free-port.js';
import { runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';

const STRANGLER = resolve(import.meta.dirname, '../../migrations/bin/strangler.js');

/** Any plain HTTP server: it has never heard of us. */
const application = (): Server =>
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/moved') {
        response.writeHead(302, { location: `http://${request.headers.host}/new` }).end();
        return;
      }
      response.writeHead(request.url === '/teapot' ? 418 : 200, {
        'content-type': 'text/plain',
        'set-cookie': ['a=1', 'b=2; Path=/x'],
        'x-odd': 'kept',
      });
      response.end(
        `${request.method} ${request.url} ${request.headers['cookie'] ?? ''} ${Buffer.concat(chunks).toString()}`,
      );
    });
  });

describe('a foreign application behind a plan of five lines', () => {
  let folder = '';
  let server: Server;
  let toolkit: StartedProgram;
  let [direct, proxied] = ['', ''];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foreign-'));
    server = application().listen(0, '127.0.0.1');
    await once(server, 'listening');
    direct = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    proxied = `127.0.0.1:${await freePort()}`;
    const plan = `version: 1\nproxy:\n  listen: ${proxied}\nupstreams:\n  legacy: http://${direct}\n`;
    expectFiveLines(plan);
    await writeFile(join(folder, 'strangler.yaml'), plan);
    toolkit = await startProgram(
      STRANGLER,
      ['up', '--plan', join(folder, 'strangler.yaml')],
      process.env,
      join(folder, 'log'),
    );
  });

  afterAll(async () => {
    await toolkit?.stop();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const expectFiveLines = (plan: string) => {
    if (plan.trimEnd().split('\n').length !== 5) throw new Error('the plan has not five lines');
  };

  it.each([
    ['GET', '/'],
    ['GET', '/teapot?a=1&a=2'],
    ['GET', '/moved'],
    ['POST', '/form'],
    ['DELETE', '/thing/7'],
    ['PROPFIND', '/dav'],
    ['GET', '/%7Euser//x;y=1?q=%zz'],
  ])('answers %s %s as it does directly', async (method, path) => {
    const [one, other] = await Promise.all(
      [direct, proxied].map(async (host) => {
        const answer = await fetch(`http://${host}${path}`, {
          method,
          redirect: 'manual',
          headers: { cookie: 'sid=9' },
          ...(method === 'POST' ? { body: 'name=Jürgen' } : {}),
        });
        // The id of the request is the one header the proxy adds.
        const kept = [...answer.headers].filter(
          ([name]) =>
            !['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-request-id'].includes(name),
        );
        return {
          status: answer.status,
          headers: kept.map(([name, value]) => [name, value.replace(host, 'host')]),
          body: await answer.text(),
        };
      }),
    );
    expect(other).toEqual(one);
  });

  it('runs the proxy alone: there is nothing to sync and nobody to control', async () => {
    const log = await readFile(join(folder, 'log'), 'utf8');
    expect(log).toContain('strangler-proxy is ready');
    expect(log).not.toMatch(/strangler-(sync|control) is ready/);
  });

  it('explains itself on the command line', async () => {
    const { code, out } = await runCommand(
      STRANGLER,
      ['explain', 'GET', '/teapot', '--plan', join(folder, 'strangler.yaml')],
      process.env,
    );
    expect(code).toBe(0);
    expect(out).toContain('no migration of the plan has this route');
  });
});
