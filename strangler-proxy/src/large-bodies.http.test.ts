import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRig, eventually } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const MIB = 1_048_576;
// The size of `npm run test:large-bodies` is a GiB; what is held does not hang on it.
const SIZE = Number(process.env['STRANGLER_LARGE_BODY_MIB'] ?? 256) * MIB;
const PROGRAM = resolve(import.meta.dirname, '../bin/strangler-proxy.js');
const CHUNK = Buffer.alloc(65_536, 'x');

const endless = (bytes: number) =>
  Readable.from(
    (function* () {
      for (let sent = 0; sent < bytes; sent += CHUNK.length) yield CHUNK;
    })(),
  );

/** A proxy as its own process, and how much memory it has taken at most (VmHWM of proc(5)), in bytes. */
async function started(legacy: string) {
  const folder = await rig.folder();
  const file = join(folder, 'plan.yaml');
  await writeFile(
    file,
    JSON.stringify({ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy } }),
  );
  const child = spawn(process.execPath, [PROGRAM, '--plan', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  rig.own(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const said = await eventually(
    () => /"?proxy"?[":= ]+(http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1] ?? output,
    (text) => text.startsWith('http'),
    20_000,
  );
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1_024;
  return { url: said, peak };
}

describe('a body larger than the memory a proxy may take', () => {
  // Without /proc nothing of this can be seen; without a build there is no program.
  const canRun = existsSync('/proc/self/status') && existsSync(resolve(PROGRAM, '../../dist/main.js'));
  let legacy: { readonly url: string; readonly server: Server };
  let received = 0;
  beforeEach(async () => {
    received = 0;
    legacy = await rig.server((request, response) => {
      if (request.method === 'GET') return void endless(SIZE).pipe(response);
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      request.on('end', () => response.end('done'));
    });
  });

  it('can be measured here', () => expect(canRun).toBe(true));

  it('goes through as an upload, and the proxy stays small', async () => {
    const { url, peak } = await started(legacy.url);
    const small = peak();
    const request = httpRequest(url, { method: 'POST' });
    await pipeline(endless(SIZE), request);
    await once(request, 'response');
    expect(received).toBe(SIZE);
    expect(peak() - small).toBeLessThan(128 * MIB);
  });

  it('goes through as a download, and the proxy stays small', async () => {
    const { url, peak } = await started(legacy.url);
    const small = peak();
    const request = httpRequest(url).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(SIZE);
    expect(peak() - small).toBeLessThan(128 * MIB);
  });
});
