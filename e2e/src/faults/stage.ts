import { mkdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Side } from '@strangler/contracts';
import { runCommand, type CommandResult } from '../run-command.js';
import { type HurtServer, makeDatabase, withConnection } from './databases.js';
import { keepProgram, type KeptProgram } from './kept-program.js';
import { quietPort } from './quiet-port.js';
import { MIGRATION, PLAN } from './tables.js';
import { type Relay, startRelay } from './tcp-relay.js';

const ROOT = resolve(import.meta.dirname, '../../..');
/** The built application, whether this file is built or not. */
const APPLICATION = join(ROOT, 'e2e/dist/faults/apps/main.js');
const SCRIPTS = {
  proxy: join(ROOT, 'strangler-proxy/bin/strangler-proxy.js'),
  sync: join(ROOT, 'cdc/bin/strangler-sync.js'),
  control: join(ROOT, 'migrations/bin/strangler-control.js'),
  cli: join(ROOT, 'migrations/bin/strangler.js'),
};

/** What can be killed and paused. */
export const PROGRAMS = ['proxy 1', 'proxy 2', 'sync', 'control', 'legacy', 'service'] as const;
export type ProgramName = (typeof PROGRAMS)[number];
/** What can be cut; the first one asks, the second one answers. */
export const LINKS = [
  'proxy 1 - control',
  'proxy 2 - control',
  'proxy 1 - legacy',
  'proxy 2 - legacy',
  'proxy 1 - service',
  'proxy 2 - service',
  'proxy 1 - sync',
  'proxy 2 - sync',
  'sync - control',
  'sync - legacy database',
  'sync - service database',
  'control - sync',
  'control - legacy database',
  'control - service database',
  'control - ledger',
] as const;
export type LinkName = (typeof LINKS)[number];

export type Servers = Readonly<Record<Side, HurtServer>>;

/** The whole system on one machine: two applications with a database server each, two proxies, sync, the control plane, and a relay between all that talk. */
export type Stage = {
  readonly servers: Servers;
  /** Past all relays: for whoever looks on. */
  readonly databases: Readonly<Record<Side | 'ledger', string>>;
  readonly control: string;
  readonly proxies: readonly string[];
  readonly programs: Readonly<Record<ProgramName, KeptProgram>>;
  readonly links: Readonly<Record<LinkName, Relay>>;
  readonly folder: string;
  /** The CLI as an operator types it, past all relays. */
  strangler(...args: string[]): Promise<CommandResult>;
  close(): Promise<void>;
};

export type StageOptions = { readonly servers: Servers; readonly folder: string; readonly plan?: string };

export async function openStage({ servers, folder, plan = PLAN }: StageOptions): Promise<Stage> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const suffix = randomBytes(3).toString('hex');
  const names = { legacy: `old_${suffix}`, service: `new_${suffix}`, ledger: `ledger_${suffix}` };
  const within = (url: string, name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const databases = {
    legacy: within(servers.legacy.url, names.legacy),
    service: within(servers.service.url, names.service),
    ledger: within(servers.legacy.url, names.ledger),
  };
  const ports = {
    proxies: [await quietPort(), await quietPort()],
    admins: [await quietPort(), await quietPort()],
    sync: await quietPort(),
    control: await quietPort(),
    legacy: await quietPort(),
    service: await quietPort(),
  };
  const portOf = (url: string) => Number(new URL(url).port);
  const targets: Readonly<Record<string, number>> = {
    control: ports.control,
    sync: ports.sync,
    legacy: ports.legacy,
    service: ports.service,
    'legacy database': portOf(servers.legacy.url),
    'service database': portOf(servers.service.url),
    ledger: portOf(servers.legacy.url),
  };
  const links = Object.fromEntries(
    await Promise.all(
      LINKS.map(async (name) => {
        const [, target = ''] = name.split(' - ');
        return [name, await startRelay(name, targets[target] ?? 0)] as const;
      }),
    ),
  ) as Record<LinkName, Relay>;
  const release: (() => Promise<unknown>)[] = [
    ...Object.values(links).map((relay) => () => relay.close()),
    ...(['legacy', 'service'] as const).map((side) => () => dropAll(servers[side].url, Object.values(names))),
  ];
  const through = (name: LinkName) => `127.0.0.1:${links[name].port}`;
  const databaseThrough = (name: LinkName, url: string) =>
    Object.assign(new URL(url), { port: String(links[name].port) }).href;
  const direct: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_ENV: 'production',
    PROXY_LISTEN: `127.0.0.1:${ports.proxies[0]}`,
    PROXY_ADMIN: `127.0.0.1:${ports.admins[0]}`,
    SECRET: randomBytes(16).toString('hex'),
    STATE_FILE: join(folder, 'state.json'),
    SYNC_ADMIN: `127.0.0.1:${ports.sync}`,
    CONTROL_LISTEN: `127.0.0.1:${ports.control}`,
    FLAGS_FILE: join(folder, 'flags.json'),
    LEGACY_URL: `http://127.0.0.1:${ports.legacy}`,
    SERVICE_URL: `http://127.0.0.1:${ports.service}`,
    LEGACY_DATABASE: databases.legacy,
    SERVICE_DATABASE: databases.service,
    LEDGER_DATABASE: databases.ledger,
    STRANGLER_OPERATOR: 'faults',
  };
  const planFile = join(folder, 'plan.yaml');
  await writeFile(planFile, plan);

  const kept = (name: ProgramName, script: string, args: readonly string[], more: NodeJS.ProcessEnv) =>
    keepProgram({
      name,
      script,
      args,
      environment: { ...direct, ...more },
      logFile: join(folder, `${name.replace(' ', '-')}.log`),
    });
  const withPlan = ['--plan', planFile];
  const proxy = (index: 0 | 1) => {
    const name = `proxy ${index + 1}` as 'proxy 1' | 'proxy 2';
    return kept(name, SCRIPTS.proxy, withPlan, {
      PROXY_LISTEN: `127.0.0.1:${ports.proxies[index]}`,
      PROXY_ADMIN: `127.0.0.1:${ports.admins[index]}`,
      STATE_FILE: join(folder, `state-${index + 1}.json`),
      CONTROL_LISTEN: through(`${name} - control`),
      LEGACY_URL: `http://${through(`${name} - legacy`)}`,
      SERVICE_URL: `http://${through(`${name} - service`)}`,
      SYNC_ADMIN: through(`${name} - sync`),
    });
  };
  const application = (side: Side) =>
    kept(side, APPLICATION, [side, String(ports[side])], { DATABASE_URL: databases[side] });
  const programs: Readonly<Record<ProgramName, KeptProgram>> = {
    'proxy 1': proxy(0),
    'proxy 2': proxy(1),
    sync: kept('sync', SCRIPTS.sync, withPlan, {
      CONTROL_LISTEN: through('sync - control'),
      LEGACY_DATABASE: databaseThrough('sync - legacy database', databases.legacy),
      SERVICE_DATABASE: databaseThrough('sync - service database', databases.service),
    }),
    control: kept('control', SCRIPTS.control, withPlan, {
      SYNC_ADMIN: through('control - sync'),
      LEGACY_DATABASE: databaseThrough('control - legacy database', databases.legacy),
      SERVICE_DATABASE: databaseThrough('control - service database', databases.service),
      LEDGER_DATABASE: databaseThrough('control - ledger', databases.ledger),
    }),
    legacy: application('legacy'),
    service: application('service'),
  };
  release.push(...Object.values(programs).map((program) => () => program.stop()));
  const close = async () => {
    for (const step of release.toReversed()) await step();
    release.length = 0;
  };
  try {
    await makeDatabase(servers.legacy.url, names.legacy, 'legacy');
    await makeDatabase(servers.service.url, names.service, 'service');
    await withConnection(servers.legacy.url, (connection) =>
      connection.query(`CREATE DATABASE ${names.ledger}`),
    );
    await Promise.all([programs.legacy.start(), programs.service.start(), programs.control.start()]);
    await Promise.all([programs.sync.start(), programs['proxy 1'].start(), programs['proxy 2'].start()]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    servers,
    databases,
    control: `http://127.0.0.1:${ports.control}`,
    proxies: ports.proxies.map((port) => `http://127.0.0.1:${port}`),
    programs,
    links,
    folder,
    strangler: (...args) => runCommand(SCRIPTS.cli, [...args, ...withPlan], direct),
    close,
  };
}

async function dropAll(url: string, names: readonly string[]): Promise<void> {
  await withConnection(url, async (connection) => {
    for (const name of names)
      await connection.query(`DROP DATABASE IF EXISTS ${name}; DROP DATABASE IF EXISTS ${name}_strangler`);
  });
}

export { MIGRATION };
