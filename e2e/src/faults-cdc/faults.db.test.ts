import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type PrivateServer, startServer } from '../../../scripts/mysql-server.mjs';
import { search } from './search.js';
import { open, type Stand } from './stand.js';

const root = resolve(import.meta.dirname, '../../..');
const ARGS = ['--sync-binlog=1', '--innodb-flush-log-at-trx-commit=1', '--innodb-buffer-pool-size=64M'];
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

it('an applier that does not move the offset with its rows is found, because they come again', async () => {
  const { found } = await search({
    servers,
    runs: 1,
    seed: 5,
    faults: [{ kind: 'kill sync', atMs: 900, forMs: 0, byMs: 0 }],
    // Once everything is copied, the offset stays where it is, whatever is written into it.
    sabotage: ({ targetUrl, control }) =>
      inTarget(
        { targetUrl },
        `CREATE DATABASE ${control}; CREATE TABLE ${control}.apply_offset (stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY, incarnation BIGINT UNSIGNED NOT NULL, tx_seq BIGINT UNSIGNED NOT NULL,
           log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL, transaction_id VARCHAR(255) NOT NULL, dropping TINYINT NOT NULL DEFAULT 0, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
         CREATE TRIGGER ${control}.stay BEFORE UPDATE ON ${control}.apply_offset FOR EACH ROW
           SET NEW.log_offset = IF(EXISTS (SELECT 1 FROM ${control}.backfill_progress WHERE done = 0), NEW.log_offset, OLD.log_offset)`,
      ),
  });
  expect(found.flatMap(({ duplicated }) => duplicated).join()).toMatch(/version|again/);
}, 60_000);

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
