import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type CommandResult = {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly milliseconds: number;
};

/** Runs a Node program to its end; an aborted signal ends it and throws. */
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
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err, milliseconds: performance.now() - begin };
}
