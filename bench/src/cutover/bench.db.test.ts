import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PrivateServer, startServer } from '../../../scripts/mysql-server.mjs';
import { main } from './main.js';

let servers: { readonly legacy: PrivateServer; readonly service: PrivateServer };
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-cutover-'));
  servers = { legacy: await startServer(), service: await startServer() };
}, 120_000);
afterAll(async () => {
  await Promise.all([servers.legacy.stop(), servers.service.stop()]);
  await rm(folder, { recursive: true, force: true });
});

it('the bench of cutovers moves the authority under load, and no request fails, no write is lost or done twice', async () => {
  const lines: string[] = [];
  const said: string[] = [];
  await main(
    ['--json', '--cutovers', '1', '--rate', '60'],
    async () => ({ servers, folder }),
    (line) => void lines.push(line),
    (line) => void said.push(line),
  );
  const result = JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
  expect(Object.keys(result)).toEqual([
    'cutovers',
    'holdMsP50',
    'holdMsP99',
    'holdMsMax',
    'failedRequests',
    'lostWrites',
    'duplicateWrites',
    'readP99Ratio',
  ]);
  expect([result, said.join('\n')]).toEqual([
    expect.objectContaining({ cutovers: 2, failedRequests: 0, lostWrites: 0, duplicateWrites: 0 }),
    expect.any(String),
  ]);
}, 240_000);
