import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

export type StartedProgram = {
  readonly pid: number;
  /** What the program said of itself over IPC when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Ends it as an operator would (SIGTERM) and waits; a second call waits for the same end. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
};

/** Starts a Node program of the repository and waits for its ready message. What it prints goes to `logFile`; an aborted signal is a kill -9, ready or not. */
export async function startProgram(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  logFile: string,
  killing?: AbortSignal,
): Promise<StartedProgram> {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(killing ? { signal: killing, killSignal: 'SIGKILL' } : {}),
  });
  // An abort is told here, too; its end is what counts.
  child.on('error', () => {});
  const log = createWriteStream(logFile, { flags: 'a' });
  let tail = '';
  for (const pipe of [child.stdout, child.stderr])
    pipe?.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-2_000);
      log.write(chunk);
    });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const first = await Promise.race([
    once(child, 'message').then(([message]) => message as Record<string, unknown>),
    exited.then(([code]) => code),
  ]);
  if (first === null || typeof first === 'number')
    throw new Error(`"${script}" ended with ${first} before it was ready:\n${tail}`);
  const end = async (how: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(how);
    const [code] = await exited;
    log.end();
    return code;
  };
  return {
    pid: child.pid ?? 0,
    ready: first,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    ended: exited.then(() => undefined),
  };
}
