import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import {
  fakeStateSubscription,
  parsePlan,
  type Phase,
  type Plan,
  type ProxyEvidence,
} from '@strangler/contracts';
import { createProxy, type ProxyOptions } from './proxy.js';

export const SECRET = 'a secret of sufficient length';

export type Rig = ReturnType<typeof createRig>;

export type StartedProxy = {
  readonly url: string;
  readonly admin: string;
  /** Empty for a plan without TLS. */
  readonly tls: string;
  readonly stop: () => Promise<void>;
  readonly reload: () => Promise<void>;
};
export type Started = { readonly url: string; readonly server: Server; readonly stop: () => Promise<void> };

let express = true;
/** From here on the proxies of this test file carry everything over node:http. */
export const withoutExpress = (): void => void (express = false);

/** Everything a test starts; `clean` ends it all, last one first. */
export function createRig() {
  const cleanups: (() => Promise<void> | void)[] = [];
  const own = (cleanup: () => Promise<void> | void) => void cleanups.push(cleanup);

  const server = async (listener: RequestListener, port = 0): Promise<Started> => {
    const http = createServer(listener);
    const sockets = new Set<Socket>();
    http.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((done) => http.listen(port, '127.0.0.1', done));
    const stop = async () => {
      const closed = new Promise((done) => http.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    };
    own(stop);
    return { url: urlOf(http), server: http, stop };
  };
  const tcpServer = async (
    listener: (socket: Socket) => void,
  ): Promise<{ url: string; sockets: Set<Socket> }> => {
    const sockets = new Set<Socket>();
    const tcp = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      listener(socket);
    });
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
    own(() => {
      for (const socket of sockets) socket.destroy();
      tcp.close();
    });
    return { url: urlOf(tcp), sockets };
  };
  const folder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'strangler-proxy-'));
    own(() => rm(path, { recursive: true, force: true }));
    return path;
  };
  const proxy = async (
    options: Omit<ProxyOptions, 'log'> & { log?: ProxyOptions['log'] },
  ): Promise<StartedProxy> => {
    const running = await createProxy({ log: pino({ level: 'silent' }), express, ...options });
    let stopped: Promise<void> | undefined;
    const started = {
      url: running.urls['proxy'] ?? '',
      admin: running.urls['admin'] ?? '',
      tls: running.urls['tls'] ?? '',
      stop: () => (stopped ??= running.stop()),
      reload: async () => running.reload?.(),
    };
    own(started.stop);
    return started;
  };

  /** A proxy over "legacy" and "catalog", with one migration "catalog" in the given phase. */
  const migration = async (setup: MigrationSetup) => {
    const at = await folder();
    const plan = planOf({ at, ...setup });
    if (setup.share !== undefined) await writeFlags(at, setup.share);
    const subscription = fakeStateSubscription(stateOf(1, setup.phase));
    const running = await proxy({ plan, subscription, ...setup.options });
    let version = 1;
    return {
      ...running,
      folder: at,
      plan,
      enter: (phase: Phase) => subscription.set(stateOf(++version, phase)),
      evidence: async () => (await (await fetch(`${running.admin}/evidence`)).json()) as ProxyEvidence,
      get: (path: string, init?: RequestInit) => fetch(`${running.url}${path}`, init),
    };
  };
  const clean = async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  return { server, tcpServer, folder, proxy, migration, own, clean };
}

export type MigrationSetup = {
  readonly legacy: string;
  readonly service: string;
  readonly phase: Phase;
  /** Percent in a real flag file; none is written without. */
  readonly share?: number;
  readonly routes?: readonly unknown[];
  readonly compare?: Record<string, unknown>;
  readonly canary?: Record<string, unknown>;
  readonly proxy?: Record<string, unknown>;
  readonly legacyOptions?: Record<string, unknown>;
  readonly serviceOptions?: Record<string, unknown>;
  readonly options?: Partial<ProxyOptions>;
};

export const stateOf = (version: number, phase: Phase, generation?: number) => ({
  version,
  migrations: {
    catalog: {
      phase,
      since: '2026-01-01T00:00:00.000Z',
      ...(generation !== undefined && { generation }),
    },
  },
});

export const planOf = (setup: Omit<MigrationSetup, 'phase'> & { at: string }): Plan =>
  parse(planText(setup), setup.at);

export function planText(setup: Omit<MigrationSetup, 'phase'>): string {
  const document = {
    version: 1,
    proxy: { listen: '127.0.0.1:0', admin: '127.0.0.1:0', secret: '!env SECRET', ...setup.proxy },
    control: { ledger: '!env LEDGER' },
    flags: { file: 'flags.json' },
    upstreams: {
      legacy: { url: setup.legacy, ...setup.legacyOptions },
      catalog: { url: setup.service, ...setup.serviceOptions },
    },
    migrations: {
      catalog: {
        owner: 'team',
        upstream: 'catalog',
        routes: setup.routes ?? ['GET /items/*', 'POST /items/:id'],
        ...(setup.compare && { compare: setup.compare }),
        ...(setup.canary && { canary: setup.canary }),
      },
    },
  };
  return JSON.stringify(document).replaceAll(/"(!env \w+)"/g, '$1');
}

/** What plans of tests name by !env. */
export const ENVIRONMENT = {
  SECRET,
  ADMIN_TOKEN: 'the-admin-token-of-the-proxy',
  LEDGER: 'mysql://root@127.0.0.1:1/ledger',
  UNLEASH: 'default:development.secret',
};

export function parse(text: string, at = '/nowhere'): Plan {
  const loaded = parsePlan(text, join(at, 'plan.yaml'), ENVIRONMENT);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan;
}

export const flagsText = (
  share: number,
  rest: Record<string, unknown> = {},
  stickiness = 'default',
): string =>
  JSON.stringify({
    version: 2,
    features: [
      {
        name: 'strangler.catalog',
        enabled: share > 0,
        strategies: [
          {
            name: 'flexibleRollout',
            parameters: { rollout: String(share), stickiness, groupId: 'strangler.catalog' },
            constraints: [],
          },
        ],
        ...rest,
      },
    ],
    segments: [],
  });

/** Replaces the file by renaming, as the control plane does. */
export async function writeFlags(folder: string, share: number, text = flagsText(share)): Promise<void> {
  await writeFile(join(folder, 'flags.json.new'), text);
  await rename(join(folder, 'flags.json.new'), join(folder, 'flags.json'));
}

/** Waits for something that happens soon; fails with what it saw last. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  isDone: (value: T) => boolean,
  withinMs = 5_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await look();
    if (isDone(value)) return value;
    if (Date.now() > end)
      throw new Error(`did not come about within ${withinMs} ms, last seen: ${JSON.stringify(value)}`);
    await delay(10);
  }
}

const TICK_MS = 10;

/**
 * Writes bytes as they are and gives all that comes back until the other side ends, until it is whole, or until it is silent for a while. The
 * while is counted in turns of this process, which the other side runs in as well: on a busy machine it is longer.
 */
export async function rawExchange(
  url: string,
  text: string,
  until: number | ((answer: string) => boolean) = 150,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const silentMs = typeof until === 'number' ? until : 20_000;
  let answer = '';
  let ticks = Math.max(2_000, silentMs) / TICK_MS;
  return new Promise((done) => {
    const finish = () => {
      clearInterval(timer);
      socket.destroy();
      done(answer);
    };
    const timer = setInterval(() => {
      if (--ticks <= 0) finish();
    }, TICK_MS);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      ticks = silentMs / TICK_MS;
      if (typeof until === 'function' && until(answer)) finish();
    });
    socket.on('error', () => {});
    socket.on('close', finish);
    socket.write(text, 'latin1');
  });
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A free port nobody listens on. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = urlOf(server);
  await new Promise((done) => server.close(done));
  return url;
}

const urlOf = (server: Server | TcpServer): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
