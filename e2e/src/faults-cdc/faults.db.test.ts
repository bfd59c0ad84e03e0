import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type PrivateServer, startServer } from '../../../scripts/mysql-server.mjs';
import type { Fault } from './choose.js';
import { search } from './search.js';
import { open, type Stand } from './stand.js';

const root = resolve(import.meta.dirname, '../../..');
const ARGS = ['--innodb-buffer-pool-size=64M'];
let servers: { readonly source: PrivateServer; readonly target: PrivateServer };

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [resolve(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
  });
  servers = { source: await startServer({ args: ARGS }), target: await startServer({ args: ARGS }) };
}, 120_000);
afterAll(async () => {
  await Promise.all([servers.source.stop(), servers.target.stop()]);
});

const inTarget = async (stand: Pick<Stand, 'targetUrl'>, sql: string): Promise<void> => {
  const target = await open(stand.targetUrl);
  await target.query(sql);
  await target.end();
};

it('twenty runs lose nothing, apply nothing twice, show no half and come to an end, whatever is killed, paused or cut', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const { found, ...result } = await search({ servers, runs: 20, seed });
  // In the order in which a reader needs them: which run, what of it.
  expect(found.map((run) => JSON.stringify(run))).toEqual([]);
  expect({ seed, result }).toEqual({
    seed,
    result: { runs: 20, seeds: [], lost: 0, duplicated: 0, halfSeen: 0, stuck: 0 },
  });
}, 300_000);

const killedAt = (...times: readonly number[]): readonly Fault[] =>
  times.map((atMs) => ({ kind: 'kill sync', atMs, forMs: 0, byMs: 0, isLater: true }));

it.each([
  ['offset before rows', 'halfSeen', killedAt(300, 600)],
  ['offset after rows', 'duplicated', killedAt(300, 600)],
  ['offset left behind', 'duplicated', killedAt(900)],
  ['transaction split in two', 'halfSeen', []],
  ['deletes skipped', 'halfSeen', []],
  ['parked keys forgotten', 'stuck', killedAt(900)],
] as const)(
  'a sync with its %s is found',
  async (mutant, kind, faults) => {
    const result = await search({ servers, runs: 1, seed: 7, faults, begin: 'copied', mutant });
    expect(result[kind]).toBeGreaterThan(0);
  },
  120_000,
);

it.each([
  ['a row that was changed', "UPDATE holder SET title = 'other' LIMIT 1", 'lost'],
  ['a row that is missing', 'DELETE FROM holder_tag LIMIT 1', 'lost'],
  ['a half of a transaction', 'UPDATE holder SET amount = amount + 1 LIMIT 1', 'halfSeen'],
  ['a row that is written again', 'UPDATE posting SET serial = serial LIMIT 1', 'duplicated'],
] as const)(
  '%s is found',
  async (_, sql, kind) => {
    const result = await search({
      servers,
      runs: 1,
      seed: 6,
      faults: [],
      sabotageEnd: (stand) => inTarget(stand, sql),
    });
    expect(result[kind]).toBe(1);
    expect(result.seeds).toEqual([6]);
  },
  60_000,
);
