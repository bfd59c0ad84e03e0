import { parseArgs } from 'node:util';
import { pino, type Logger } from 'pino';
import { reasonOf, StranglerError } from './errors.js';
import { loadPlan, type Plan } from './load-plan.js';
import { type Problem, problemLine } from './problem.js';

/** Exit codes of every program of the toolkit. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, gateUnmet: 3 } as const;

/** What a started program hands back: its addresses by name, and the way to end it. `stop` resolves when nothing is left open. */
export type Running = { readonly urls: Readonly<Record<string, string>>; stop(): Promise<void> };

export type Program = {
  readonly name: string;
  /** Everything that would keep it from starting: ports, databases, privileges. Changes nothing. */
  check(plan: Plan): Promise<readonly Problem[]>;
  /** `lines` writes ready lines to where `log` writes, for what is said too often to be made an object of. */
  start(plan: Plan, log: Logger, lines: LineWriter): Promise<Running>;
};

/** Takes lines of the log as they shall be written, each with its line feed. */
export type LineWriter = {
  write(lines: string): void;
  /** What pino puts into each line of this program. */
  readonly base: Readonly<Record<string, string | number>>;
};

/** The message a program sends over IPC once it serves. */
export type ReadyMessage = {
  readonly ready: true;
  readonly program: string;
  readonly urls: Readonly<Record<string, string>>;
};

const STOP_DEADLINE_MS = 10_000;
// How long a line may wait for others.
const LOG_FLUSH_MS = 100;

/**
 * Runs a program: `--plan FILE` starts it, with `--check` it only looks (`--json` for a program to read) and changes nothing.
 * SIGINT, SIGTERM and the loss of a parent that started it with an IPC channel end it cleanly.
 * Exit codes: 0 ended as asked, 1 failed, 2 bad plan or machine not ready.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      plan: { type: 'string' },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const hasParent = process.connected;
  const level = environment['STRANGLER_LOG_LEVEL'] ?? 'info';
  const base = { program: program.name, pid: process.pid };
  // A line for each request must not be a call of the system for each request; pino flushes what waits when the process ends.
  const destination = pino.destination(
    level === 'debug' || level === 'trace'
      ? { sync: false, minLength: 32_768, maxWrite: 65_536, periodicFlush: LOG_FLUSH_MS }
      : { sync: true },
  );
  const log = pino({ name: program.name, level, base }, destination);
  const lines: LineWriter = {
    base: { ...base, name: program.name },
    write: (text) => void destination.write(text),
  };
  const leave = (code: number, problems: readonly Problem[]) => {
    if (values.check && values.json) process.stdout.write(`${JSON.stringify({ problems })}\n`);
    else for (const problem of problems) process.stderr.write(`${problemLine(problem)}\n`);
    process.exitCode = code;
  };
  try {
    if (values.plan === undefined)
      return leave(EXIT.badInput, [
        {
          code: 'USAGE',
          path: program.name,
          message: 'was started without a plan',
          remedy: `write "${program.name} --plan FILE"`,
        },
      ]);
    const loaded = await loadPlan(values.plan, environment);
    if (!loaded.ok) return leave(EXIT.badInput, loaded.problems);
    const problems = await program.check(loaded.plan);
    if (problems.length > 0 || values.check)
      return leave(problems.length > 0 ? EXIT.badInput : EXIT.ok, problems);

    // Signals count from before the start: a Ctrl-C while it comes up waits for it and ends it.
    let asked: () => void = () => {};
    const end = new Promise<void>((done) => (asked = done));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, asked);
    if (process.channel) process.once('disconnect', asked);
    // A parent that was killed while we checked has closed the channel already; nobody would tell us again.
    if (hasParent && !process.connected) return;
    const running = await program.start(loaded.plan, log, lines);
    log.info({ urls: running.urls }, `${program.name} is ready`);
    const message: ReadyMessage = { ready: true, program: program.name, urls: running.urls };
    if (process.connected) process.send?.(message);
    await end;
    const deadline = setTimeout(() => {
      log.error(`${program.name} did not end within ${STOP_DEADLINE_MS} ms and is ended now`);
      process.exit(EXIT.failed);
    }, STOP_DEADLINE_MS);
    await running.stop();
    clearTimeout(deadline);
    log.info(`${program.name} has ended`);
    if (process.connected) process.disconnect();
    process.exitCode = EXIT.ok;
  } catch (error) {
    const isOurs = error instanceof StranglerError;
    log.fatal(isOurs ? { code: error.code } : { err: error }, reasonOf(error));
    process.exit(isOurs && error.status < 500 ? EXIT.badInput : EXIT.failed);
  }
}
