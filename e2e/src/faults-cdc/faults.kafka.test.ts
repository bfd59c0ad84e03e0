import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { kafkaPlace } from '../../../scripts/kafka-place.mjs';
import { type PrivateServer, startServer } from '../../../scripts/mysql-server.mjs';
import { search } from './search.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const ARGS = ['--innodb-buffer-pool-size=64M'];
let servers: { readonly source: PrivateServer; readonly target: PrivateServer };

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [resolve(ROOT, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: ROOT,
  });
  servers = { source: await startServer({ args: ARGS }), target: await startServer({ args: ARGS }) };
}, 120_000);
afterAll(async () => {
  await Promise.all([servers.source.stop(), servers.target.stop()]);
});

it('two runs through Kafka lose nothing, apply nothing twice and come to an end, whatever is killed, paused or cut', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const kafka = kafkaPlace(process.env['STRANGLER_KAFKA'] ?? '');
  const { found, ...result } = await search({ servers: { ...servers, kafka }, runs: 2, seed });
  expect(found.map((run) => JSON.stringify(run))).toEqual([]);
  expect({ seed, result }).toEqual({
    seed,
    result: { runs: 2, seeds: [], lost: 0, duplicated: 0, halfSeen: 0, stuck: 0 },
  });
}, 400_000);
