import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createConnection } from 'mysql2/promise';
import { ENVIRONMENT, planText } from '../plan.fixture.js';

const CLI = join(import.meta.dirname, '../../bin/strangler.js');
const FAKE = pathToFileURL(join(import.meta.dirname, 'fake-program.fixture.mjs')).href;

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

export const until = async <T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
) => {
  for (let attempt = 0; attempt < 600; attempt++) {
    const found = await look();
    if (found) return found;
    await delay(50);
  }
  throw new Error(`${what} did not come`);
};

/** A folder as an operator has it: a plan, a ledger of its own, and a proxy and a sync that are fakes. */
export async function operatorFolder(mysqlUrl: string) {
  const folder = await mkdtemp(join(tmpdir(), 'strangler-up-'));
  const bin = join(folder, 'node_modules', '.bin');
  await mkdir(bin, { recursive: true });
  for (const name of ['strangler-proxy', 'strangler-sync']) {
    await writeFile(
      join(bin, `${name}.mjs`),
      `import { fakeProgram } from ${JSON.stringify(FAKE)};\nawait fakeProgram('${name}');\n`,
    );
    await symlink(`${name}.mjs`, join(bin, name));
  }
  const [proxy, proxyAdmin, sync, control] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const ports = { proxy, proxyAdmin, sync, control };
  const plan = join(folder, 'strangler.yaml');
  await writeFile(plan, planText(ports));
  const database = `up_${randomBytes(4).toString('hex')}`;
  const ledger = new URL(mysqlUrl);
  ledger.pathname = `/${database}`;
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    ...ENVIRONMENT,
    LEDGER: ledger.href,
    STRANGLER_OPERATOR: 'ann',
    NODE_OPTIONS: '',
  };
  const started: ChildProcess[] = [];

  /** One command to its end. */
  const strangler = async (args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Ended> => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env: { ...environment, ...extra } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  };

  /** `strangler up`, watched. */
  const up = (extra: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => {
    const child = spawn(process.execPath, [CLI, 'up', ...args], {
      cwd: folder,
      env: { ...environment, STRANGLER_LOG_LEVEL: 'info', ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    const log = { text: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (log.text += chunk.toString()));
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    return {
      pid: child.pid ?? 0,
      log,
      ended: ended.then(([code]) => code),
      ready: () => until(`ready in:\n${log.text}`, () => /up +info +ready: (.*)/.exec(log.text)?.[1]),
      signal: (signal: NodeJS.Signals) => child.kill(signal),
      /** The processes of the programs, from what they said of themselves. */
      pids: async (): Promise<Record<string, number>> =>
        Object.fromEntries(
          (await childrenOf(child.pid ?? 0)).map(({ pid, command }) => [
            /strangler-(control|proxy|sync)/.exec(command)?.[1] ?? command,
            pid,
          ]),
        ),
    };
  };

  return {
    folder,
    plan,
    ports,
    environment,
    strangler,
    up,
    async remove() {
      for (const child of started)
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGTERM');
          await once(child, 'close');
        }
      const connection = await createConnection(mysqlUrl);
      await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
      await connection.end();
      await rm(folder, { recursive: true });
    },
  };
}
export type OperatorFolder = Awaited<ReturnType<typeof operatorFolder>>;

async function childrenOf(pid: number): Promise<readonly { pid: number; command: string }[]> {
  const child = spawn('ps', ['-o', 'pid=,args=', '--ppid', String(pid)]);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await once(child, 'close');
  return out
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, id = '', command = '']) => ({ pid: Number(id), command }));
}
