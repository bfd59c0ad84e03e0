import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ProxyEvidence } from '@strangler/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { freePort } from './free-port.js';
import { runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';
import { until } from './until.js';

const ROOT = resolve(import.meta.dirname, '../..');
const mysql = process.env['STRANGLER_MYSQL_URL'] ?? '';
const database = `several_${randomBytes(4).toString('hex')}`;

/** Addresses by !env, so that all have the same plan whatever they listen on. */
const planText = (routes: string) => `version: 1
proxy: { listen: !env LISTEN, admin: !env ADMIN, secret: !env SECRET }
control: { listen: !env CONTROL, ledger: !env LEDGER }
flags: { file: !env FLAGS }
upstreams: { legacy: !env LEGACY, catalog: !env SERVICE }
migrations:
  catalog:
    owner: team
    upstream: catalog
    routes: [${routes}]
    gates: { minComparisons: 20, minComparisonsPerRoute: 20 }
`;

type Status = {
  programs: { name: string; ok: boolean; detail: string }[];
  warnings: string[];
  migrations: { next: { gates: { gate: string; met: boolean; detail: string }[] } }[];
};

describe('two proxies under one control plane', () => {
  const programs: StartedProgram[] = [];
  const upstreams: Server[] = [];
  let folder = '';
  let environment: NodeJS.ProcessEnv;

  const upstream = async () => {
    const server = createServer((request, response) => response.end(`"${request.url}"`)).listen(
      0,
      '127.0.0.1',
    );
    upstreams.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const startProxy = async (plan: string) => {
    const program = await startProgram(
      join(ROOT, 'strangler-proxy/bin/strangler-proxy.js'),
      ['--plan', join(folder, plan)],
      { ...environment, LISTEN: `127.0.0.1:${await freePort()}`, ADMIN: `127.0.0.1:${await freePort()}` },
      join(folder, 'proxy.log'),
    );
    programs.push(program);
    const { proxy, admin } = program.ready['urls'] as { proxy: string; admin: string };
    const evidence = async () => (await (await fetch(`${admin}/evidence`)).json()) as ProxyEvidence;
    return {
      program,
      evidence,
      visit: async (times: number) => {
        const matches = async () =>
          (await evidence()).migrations['catalog']?.routes[0]?.comparisons.match ?? 0;
        const before = await matches();
        for (let time = 0; time < times; time++)
          expect((await fetch(`${proxy}/items/${time}`)).status).toBe(200);
        await until('comparisons', 10_000, async () => (await matches()) >= before + times);
      },
    };
  };
  const strangler = (...args: string[]) =>
    runCommand(
      join(ROOT, 'migrations/bin/strangler.js'),
      [...args, '--plan', join(folder, 'plan.yaml')],
      environment,
    );
  const status = async () => JSON.parse((await strangler('status', '--json')).out) as Status;
  const gate = async (name: string) =>
    (await status()).migrations[0]?.next.gates.find((each) => each.gate === name);
  const tryToAdvance = () => strangler('advance', 'catalog', '--dry-run');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'several-'));
    const connection = await createConnection(mysql);
    await connection.query(`CREATE DATABASE \`${database}\``);
    await connection.end();
    environment = {
      ...process.env,
      LISTEN: '127.0.0.1:1',
      // Nobody is there: the control plane has to find the proxies by what they tell.
      ADMIN: `127.0.0.1:${await freePort()}`,
      CONTROL: `127.0.0.1:${await freePort()}`,
      LEDGER: Object.assign(new URL(mysql), { pathname: `/${database}` }).href,
      FLAGS: join(folder, 'flags.json'),
      SECRET: randomBytes(16).toString('hex'),
      LEGACY: await upstream(),
      SERVICE: await upstream(),
      STRANGLER_OPERATOR: 'ann',
    };
    for (const name of ['plan.yaml', 'other.yaml'])
      await writeFile(
        join(folder, name),
        planText(name === 'plan.yaml' ? 'GET /items/*' : 'GET /items/*, GET /x'),
      );
    programs.push(
      await startProgram(
        join(ROOT, 'migrations/bin/strangler-control.js'),
        ['--plan', join(folder, 'plan.yaml')],
        environment,
        join(folder, 'control.log'),
      ),
    );
  }, 60_000);

  afterAll(async () => {
    for (const program of programs.toReversed()) await program.stop();
    for (const server of upstreams) server.close().closeAllConnections();
    const connection = await createConnection(mysql);
    await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
    await connection.end();
    await rm(folder, { recursive: true, force: true });
  });

  it('have their evidence added up, and none may be silent, of another plan, or forgotten', async () => {
    const [one, two] = [await startProxy('plan.yaml'), await startProxy('plan.yaml')];
    const { programs: shown } = await status();
    expect(shown.map(({ ok }) => ok)).toEqual([true, true]);
    for (const { program } of [one, two])
      expect(shown.map(({ detail }) => detail).join()).toMatch(
        new RegExp(`-${program.pid}, plan \\w{12}, state \\d`),
      );
    expect((await strangler('advance', 'catalog', '--to', 'syncing')).code).toBe(0);
    expect((await strangler('advance', 'catalog', '--to', 'shadow')).code).toBe(0);

    // Neither alone has seen enough; both together have.
    await one.visit(12);
    expect((await gate('comparisons'))?.met).toBe(false);
    await two.visit(12);
    expect(await gate('comparisons')).toMatchObject({
      met: true,
      detail: expect.stringContaining('last 24'),
    });
    expect((await tryToAdvance()).code).toBe(0);

    // What the one that ends has counted ends with it, and what the other has counted before that does not outvote it.
    await two.program.stop();
    expect((await status()).programs).toHaveLength(1);
    expect((await gate('comparisons'))?.met).toBe(false);
    await one.visit(21);
    expect((await tryToAdvance()).code).toBe(0);

    const three = await startProxy('other.yaml');
    const refused = await tryToAdvance();
    expect(refused.code).toBe(3);
    expect(`${refused.out}${refused.err}`).toMatch(/runs another revision of the plan/);
    expect((await status()).warnings.join()).toMatch(/runs another revision of the plan/);
    await writeFile(join(folder, 'other.yaml.new'), planText('GET /items/*'));
    await rename(join(folder, 'other.yaml.new'), join(folder, 'other.yaml'));
    await until('the plan', 10_000, async () => (await gate('proxy-answers'))?.met);
    await three.visit(21);
    expect((await tryToAdvance()).code).toBe(0);

    await three.program.kill();
    const silent = await tryToAdvance();
    expect(silent.code).toBe(3);
    expect(`${silent.out}${silent.err}`).toMatch(
      new RegExp(`proxy "[^"]+-${three.program.pid}" has not answered`),
    );
    expect((await status()).warnings.join()).toMatch(/the numbers lack proxy/);
  }, 120_000);
});
