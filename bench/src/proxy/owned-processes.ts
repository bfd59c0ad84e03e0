import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { pathOf } from './system-program.js';

const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 3_000;

export type Owned = { readonly pid: number; readonly child: ChildProcess };

/** What is measured has a core for itself; load and upstream have the other ones. */
export type Core = 'measured' | 'other';

export type StartOptions = {
  readonly core: Core;
  readonly environment?: NodeJS.ProcessEnv;
  /** With an IPC channel, over which the program says when it serves. */
  readonly ipc?: boolean;
  /** File descriptor for its standard output; what it says on the other one is kept for a failure. */
  readonly stdout?: number;
};

/** Starts processes and ends them, and nothing but them. */
export function createOwnedProcesses() {
  const owned = new Set<ChildProcess>();
  const killAll = () => {
    for (const child of owned) child.kill('SIGKILL');
  };
  // Whatever way this program ends, what it started ends with it.
  process.on('exit', killAll);
  return {
    start(command: string, args: readonly string[], options: StartOptions): Owned {
      const [program, ...rest] = [...pinTo(options.core), command, ...args];
      const child = spawn(program as string, rest, {
        stdio: ['ignore', options.stdout ?? 'ignore', 'pipe', ...(options.ipc ? ['ipc' as const] : [])],
        env: options.environment,
      });
      owned.add(child);
      child.once('exit', () => owned.delete(child));
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
      child.once('error', (error) => (said += error.message));
      child.once('exit', (code) => {
        if (code !== null && code !== 0) process.stderr.write(`"${command}" ended with ${code}: ${said}\n`);
      });
      return { pid: child.pid ?? 0, child };
    },
    async stop({ child }: Owned): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await gone;
      clearTimeout(late);
    },
    async stopAll(): Promise<void> {
      await Promise.all([...owned].map((child) => this.stop({ child, pid: child.pid ?? 0 })));
      process.off('exit', killAll);
    },
  };
}

export type OwnedProcesses = ReturnType<typeof createOwnedProcesses>;

function pinTo(core: Core): string[] {
  const taskset = pathOf('taskset');
  const cores = availableParallelism();
  if (taskset === undefined || cores < 2) return [];
  return [taskset, '-c', core === 'measured' ? '0' : cores === 2 ? '1' : `1-${cores - 1}`];
}

/** The first message over IPC that says `{ url }`, or the program's failure to start. */
export const readyMessage = ({ child }: Owned, name: string): Promise<Record<string, unknown>> =>
  new Promise((done, failed) => {
    const fail = () => failed(new Error(`"${name}" did not come up within ${START_DEADLINE_MS} ms`));
    const timer = setTimeout(fail, START_DEADLINE_MS);
    child.once('message', (message) => {
      clearTimeout(timer);
      done(message as Record<string, unknown>);
    });
    child.once('exit', fail);
  });

/** Waits until the address answers HTTP. */
export async function waitFor(url: string): Promise<void> {
  const end = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      await (await fetch(url, { headers: { connection: 'close' } })).arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > end) throw new Error(`"${url}" did not answer in time`, { cause: error });
      await delay(30);
    }
  }
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
