import { setTimeout as delay } from 'node:timers/promises';
import { type StartedProgram, startProgram } from '../started-program.js';

/** A program that is started again whenever it has ended, as an operating system's supervisor would; until then it can be killed and paused. */
export type KeptProgram = {
  readonly name: string;
  /** Resolves when it is ready for the first time. */
  start(): Promise<void>;
  /** kill -9; it is started again after `forMs`. */
  kill(forMs: number): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
  /** How often it was started. */
  starts(): number;
};

export type KeptProgramOptions = {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
};

/** Between the end of one that ended by itself and its next start. */
const AGAIN_MS = 250;
const FIRST_TRIES = 5;

export function keepProgram({ name, script, args, environment, logFile }: KeptProgramOptions): KeptProgram {
  let running: StartedProgram | undefined;
  const closing = new AbortController();
  let starts = 0;
  let waitMs = 0;
  let keeping: Promise<void> | undefined;
  let [ready, fail]: [() => void, (reason: unknown) => void] = [() => {}, () => {}];
  const isReady = new Promise<void>((done, failed) => ([ready, fail] = [done, failed]));
  const keep = async () => {
    while (!closing.signal.aborted) {
      try {
        starts++;
        const started = await startProgram(script, args, environment, logFile, closing.signal);
        running = started;
        if (closing.signal.aborted) await started.kill();
        ready();
        await started.ended;
      } catch (error) {
        // It found what it needs away and has said so in its log; at first everything is there.
        if (starts >= FIRST_TRIES) fail(error);
      }
      running = undefined;
      if (closing.signal.aborted) return;
      await delay(Math.max(waitMs, AGAIN_MS));
      waitMs = 0;
    }
  };
  const signal = (which: NodeJS.Signals) => {
    try {
      if (running) process.kill(running.pid, which);
    } catch {
      // It has ended a moment ago.
    }
  };
  return {
    name,
    start: () => {
      keeping ??= keep();
      return isReady;
    },
    async kill(forMs) {
      waitMs = forMs;
      await running?.kill();
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async stop() {
      closing.abort();
      await keeping;
    },
    starts: () => starts,
  };
}
