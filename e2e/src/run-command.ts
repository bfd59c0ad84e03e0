import { spawn } from 'node:child_process';

export type CommandResult = {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly milliseconds: number;
};

/** Runs a Node program to its end; an aborted signal ends it and throws, when it has ended. */
export async function runCommand(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const begin = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  // An abort is told at once; the program it ends takes a moment longer.
  let broken: Error | undefined;
  child.once('error', (error) => (broken = error));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (broken) throw broken;
  return { code, out, err, milliseconds: performance.now() - begin };
}
