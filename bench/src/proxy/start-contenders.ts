import { openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReadyMessage, RoutingState } from '@strangler/contracts';
import { CANARY, planEnvironment, writePlan } from './bench-plan.js';
import type { Contender, ContenderName } from './contender.js';
import { startHaproxy } from './haproxy.js';
import { startNginxProxy } from './nginx.js';
import { freePort, type OwnedProcesses, readyMessage } from './owned-processes.js';

export type World = {
  /** Folder for what is written. */
  readonly at: string;
  /** Address and process of the upstream. */
  readonly upstream: { readonly url: string; readonly pid: number };
  readonly controlPort: number;
  readonly owned: OwnedProcesses;
  readonly path: string;
  /** Entry of another build of the proxy, the contender `before`. */
  readonly before?: string | undefined;
};

export const benchState: RoutingState = {
  version: 1,
  migrations: { [CANARY]: { phase: 'canary', since: '2026-01-01T00:00:00.000Z' } },
};

/** Starts those that can be started here: a peer that is not installed is left out. */
export async function startContenders(
  names: readonly ContenderName[],
  world: World,
): Promise<readonly Contender[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    const started = await start(name, world);
    if (started) contenders.push({ name, ...started });
  }
  return contenders;
}

const PEERS = {
  hpm: 'http-proxy-middleware',
  httpxy: 'httpxy',
  fastify: 'fastify',
} as const;

async function start(name: ContenderName, world: World): Promise<Omit<Contender, 'name'> | undefined> {
  const { at, upstream, owned } = world;
  switch (name) {
    case 'direct':
      return upstream;
    case 'ours':
      return startProxy(
        world,
        'ours',
        join(dirname(fileURLToPath(import.meta.resolve('@strangler/proxy'))), 'main.js'),
      );
    case 'before':
      return world.before === undefined ? undefined : startProxy(world, 'before', world.before);
    case 'nginx':
    case 'haproxy': {
      const served = await (name === 'nginx' ? startNginxProxy : startHaproxy)(at, upstream.url, owned);
      return served && { url: served.url, pid: served.process.pid };
    }
    default: {
      const script = join(import.meta.dirname, 'peers', `${PEERS[name]}.js`);
      const peer = owned.start(process.execPath, [script, upstream.url], {
        core: 'measured',
        ipc: true,
        environment: { PATH: world.path },
      });
      const { url } = await readyMessage(peer, name);
      return { url: String(url), pid: peer.pid };
    }
  }
}

/** The program as it is installed, with everything on: a thousand routes, flags, stickiness, metrics and the access log. */
async function startProxy({ at, upstream, controlPort, owned, path }: World, name: string, entry: string) {
  const addresses = {
    upstream: upstream.url,
    controlPort,
    port: await freePort(),
    adminPort: await freePort(),
  };
  const plan = await writePlan(join(at, name), addresses);
  const log = openSync(join(at, name, 'access.log'), 'w');
  const inspectPort = await freePort();
  const ours = owned.start(process.execPath, [`--inspect-port=${inspectPort}`, entry, '--plan', plan], {
    core: 'measured',
    ipc: true,
    stdout: log,
    environment: { PATH: path, STRANGLER_LOG_LEVEL: 'debug', ...planEnvironment },
  });
  const ready = (await readyMessage(ours, name)) as ReadyMessage;
  await waitForCanary(String(ready.urls['admin']));
  return { url: String(ready.urls['proxy']), pid: ours.pid, inspectPort };
}

/** Before the phase is known everything is on legacy, and nothing would be decided. */
async function waitForCanary(admin: string): Promise<void> {
  for (;;) {
    const evidence = (await (await fetch(`${admin}/evidence`)).json()) as { stateVersion: number };
    if (evidence.stateVersion === benchState.version) return;
  }
}
