import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, type Plan, type Problem, reasonOf, type ReadyMessage } from '@strangler/contracts';
import { PlanBroken, readPlan } from '../cli/read-plan.js';
import type { Terminal } from '../cli/terminal.js';
import { findProgram } from './find-program.js';
import { logLine, sayLine } from './log-line.js';
import { type Check, preflight, programsOf, sharedAddresses } from './preflight.js';
import { SupervisedProgram } from './supervised-program.js';

export type UpSurroundings = {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Signals and the channel to a parent. */
  readonly process: NodeJS.Process;
};

const US = 'up';

/**
 * Runs the programs of a plan, each as a process, until it is told to end. Exit codes: 0 ended as asked, 1 a program
 * could not be kept alive, 2 (thrown) plan or machine not ready, and then nothing was started.
 */
export async function up(
  file: string,
  options: { readonly json: boolean },
  { terminal, environment, process: self }: UpSurroundings,
): Promise<number> {
  const say = (level: string, sentence: string, fields: object = {}) =>
    terminal.out(
      options.json
        ? `${JSON.stringify({ level: level.toLowerCase(), time: Date.now(), program: 'strangler', msg: sentence, ...fields })}\n`
        : `${sayLine(US, level, Date.now(), sentence)}\n`,
    );
  const ending = new AbortController();
  let exit: number = EXIT.ok;
  const programs: SupervisedProgram[] = [];
  const onSignal = (signal: NodeJS.Signals) => {
    // A second Ctrl-C is somebody who does not want to wait.
    if (ending.signal.aborted) for (const program of programs) program.kill();
    else say('info', `${signal}: ending everything`);
    ending.abort();
  };
  const onOrphaned = () => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) self.on(signal, onSignal);
  self.once('disconnect', onOrphaned);
  const ended = new Promise<void>((done) =>
    ending.signal.addEventListener('abort', () => done(), { once: true }),
  );

  try {
    const plan = await readPlan(file, environment);
    const checks = programsOf(plan).map((name) => ({ name, script: locate(name, self) }));
    const problems = await problemsOf(plan, checks, environment, ending.signal);
    if (ending.signal.aborted) return exit;
    if (problems.length > 0) throw new PlanBroken(file, problems);

    const urls: Record<string, string> = {};
    for (const { name, script } of checks) {
      if (ending.signal.aborted) break;
      const program = new SupervisedProgram({
        name,
        script,
        args: ['--plan', plan.file],
        environment,
        onLine: (line) => terminal.out(options.json ? `${line}\n` : `${logLine(name, line, Date.now())}\n`),
        onEvent: (level, sentence) => say(level, `"${name}" ${sentence}`),
        onGivenUp(error) {
          say('ERROR', error.message);
          exit = EXIT.failed;
          ending.abort();
        },
      });
      programs.push(program);
      const running = program.run();
      // Asked to end while it comes up, nobody waits for it any more.
      running.catch(() => {});
      Object.assign(urls, await Promise.race([running, ended]));
    }
    if (!ending.signal.aborted) {
      say(
        'info',
        `ready: ${Object.entries(urls)
          .map(([name, url]) => `${name} ${url}`)
          .join(', ')}`,
        {
          ready: true,
          urls,
        },
      );
      const message: ReadyMessage = { ready: true, program: 'strangler', urls };
      if (self.connected) self.send?.(message);
    }
    await ended;
  } catch (error) {
    if (error instanceof PlanBroken) throw error;
    say('ERROR', reasonOf(error));
    exit = EXIT.failed;
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) self.off(signal, onSignal);
    self.off('disconnect', onOrphaned);
    if (self.connected) self.disconnect?.();
  }
  say('info', 'everything has ended');
  return exit;
}

const locate = (name: string, self: NodeJS.Process) =>
  findProgram(name, [self.cwd(), dirname(fileURLToPath(import.meta.url))]);

const problemsOf = async (
  plan: Plan,
  checks: readonly Check[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Problem[]> => [
  ...sharedAddresses(plan),
  ...(await preflight(checks, plan.file, environment, signal)),
];
