import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type PrivateServer, startServer } from '../../../scripts/mysql-server.mjs';
import { openConnection } from './databases.js';
import { search } from './search.js';
import type { Session } from './session.js';

const root = resolve(import.meta.dirname, '../../..');
const ARGS = ['--innodb-buffer-pool-size=64M'];
let servers: { readonly legacy: PrivateServer; readonly service: PrivateServer };
let folder = '';

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [resolve(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
  });
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
  servers = { legacy: await startServer({ args: ARGS }), service: await startServer({ args: ARGS }) };
}, 120_000);
afterAll(async () => {
  await Promise.all([servers.legacy.stop(), servers.service.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** As neither application would: what it breaks is not in any log. */
const behind = async ({ stage }: Session, side: 'legacy' | 'service', sql: string): Promise<void> => {
  const connection = await openConnection(stage.databases[side]);
  await connection.query(`SET @strangler_apply = 1; ${sql}`);
  connection.destroy();
};

it('an order that is gone at the end is found', async () => {
  const result = await search({
    servers,
    folder,
    runs: 1,
    seed: 6,
    change: { faults: [], copiesFirst: false, moves: 1 },
    sabotageEnd: (session) => behind(session, 'legacy', "DELETE FROM orders WHERE ref LIKE 'r%' LIMIT 1"),
  });
  expect(result).toMatchObject({ runs: 1, seeds: [6], lost: 1, stuck: 0 });
}, 240_000);

it('ten runs lose nothing, do nothing twice, and have one side that writes, whatever is killed, paused or cut', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const { found, ...result } = await search({ servers, folder, runs: 10, seed });
  // In the order in which a reader needs them: which run, what of it.
  expect(found.map((run) => JSON.stringify(run))).toEqual([]);
  expect({ seed, result }).toEqual({
    seed,
    result: {
      runs: 10,
      seeds: [],
      lost: 0,
      duplicated: 0,
      doubleAuthority: 0,
      orderViolations: 0,
      stuck: 0,
    },
  });
}, 600_000);
