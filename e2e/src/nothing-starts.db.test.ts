import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { type Server as DatabaseServer, startServer } from '../../scripts/mysql-server.mjs';
import { freePort } from './free-port.js';
import { type CommandResult, runCommand } from './run-command.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PLAN = join(ROOT, 'migrations/plans/shop.yaml');
const at = (server: string, name: string) => Object.assign(new URL(server), { pathname: `/${name}` }).href;

describe('strangler up, where something is wrong', () => {
  const good = process.env['STRANGLER_MYSQL_URL'] ?? '';
  let folder = '';
  let taken: Server;
  let withoutLog: DatabaseServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nothing-'));
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    withoutLog = await startServer({ args: ['--skip-log-bin'] });
    const connection = await createConnection(withoutLog.url);
    await connection.query('CREATE DATABASE shop');
    await connection.query('CREATE TABLE shop.product (id INT, name VARCHAR(20))');
    await connection.end();
  });

  afterAll(async () => {
    taken.close();
    await withoutLog?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = async (changes: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> => {
    const ports = await Promise.all(Array.from({ length: 4 }, freePort));
    const [proxy, proxyAdmin, syncAdmin, control] = ports.map((port) => `127.0.0.1:${port}`);
    return {
      ...process.env,
      SHOP_PROXY_LISTEN: proxy,
      SHOP_PROXY_ADMIN: proxyAdmin,
      SHOP_SYNC_ADMIN: syncAdmin,
      SHOP_CONTROL_LISTEN: control,
      SHOP_URL: 'http://127.0.0.1:1',
      CATALOG_URL: 'http://127.0.0.1:2',
      ORDERS_URL: 'http://127.0.0.1:3',
      STRANGLER_PROXY_TOKEN: 'a-token-of-the-proxy',
      STRANGLER_SYNC_TOKEN: 'a-token-of-the-sync',
      STRANGLER_CONTROL_TOKEN: 'a-token-of-the-control-plane',
      STRANGLER_SECRET: '0123456789abcdef0123456789abcdef',
      SHOP_FLAGS_FILE: join(folder, 'flags.json'),
      SHOP_STATE_FILE: join(folder, 'state.json'),
      SHOP_DATABASE_URL: at(good, 'no_such_shop'),
      CATALOG_DATABASE_URL: at(good, 'no_such_catalog'),
      ORDERS_DATABASE_URL: at(good, 'no_such_orders'),
      LEDGER_DATABASE_URL: at(good, 'no_such_ledger'),
      ...changes,
    };
  };

  const databases = async () => {
    const connection = await createConnection(good);
    const [rows] = await connection.query(
      "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'no\\_such\\_%'",
    );
    await connection.end();
    return rows;
  };

  const expectNothing = async (result: CommandResult) => {
    expect(result.code).toBe(2);
    expect(await databases()).toEqual([]);
    expect(existsSync(join(folder, 'flags.json'))).toBe(false);
  };

  it('tells everything that every program misses at once, and changes nothing', async () => {
    const result = await runCommand(
      join(ROOT, 'migrations/bin/strangler.js'),
      ['up', '--plan', PLAN],
      await environment({
        SHOP_PROXY_LISTEN: `127.0.0.1:${(taken.address() as AddressInfo).port}`,
        SHOP_DATABASE_URL: at(withoutLog.url, 'shop'),
        CATALOG_DATABASE_URL: 'mysql://nobody:wrong@127.0.0.1:1/catalog',
        LEDGER_DATABASE_URL: 'mysql://nobody:wrong@127.0.0.1:1/ledger',
      }),
    );
    const told = result.out + result.err;
    expect(told).toMatch(
      /proxy\.listen.*is taken by another program: end that program or choose another port/,
    );
    expect(told).toMatch(/databases\.legacy: writes no binary log: set "log_bin"/);
    expect(told).toMatch(/table "product" has no primary key, so its rows cannot be told apart: add one/);
    expect(told).toMatch(/databases\.catalog: does not answer \(connect ECONNREFUSED/);
    expect(told).toMatch(/control\.ledger.*ECONNREFUSED/);
    await expectNothing(result);
  });

  it('tells every problem of a broken plan with path, line and remedy, and starts nothing', async () => {
    const broken = join(folder, 'broken.yaml');
    await copyFile(PLAN, broken);
    const text = (await readFile(broken, 'utf8'))
      .replace('owner: team catalog', 'ownr: team catalog')
      .replace('GET /api/tags', 'GET /api//tags')
      .replace('digits: 2', 'digits: -1');
    await writeFile(broken, text);
    const up = await runCommand(
      join(ROOT, 'migrations/bin/strangler.js'),
      ['up', '--plan', broken],
      await environment({}),
    );
    const told = up.out + up.err;
    expect(told).toMatch(/migrations\.catalog\.owner \(line \d+\): is missing: add it/);
    expect(told).toMatch(/migrations\.catalog\.ownr \(line \d+\): is not a key of the plan/);
    expect(told).toMatch(/routes\[12\] \(line \d+\): route "GET \/api\/\/tags"/);
    expect(told).toMatch(/price_minor\.digits \(line \d+\)/);
    await expectNothing(up);
    const validate = await runCommand(
      join(ROOT, 'migrations/bin/strangler.js'),
      ['validate', '--plan', broken],
      await environment({}),
    );
    expect(validate.code).toBe(2);
  });
});
