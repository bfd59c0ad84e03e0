import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReadyMessage } from '@strangler/contracts';
import { programEnded, programKeepsEnding } from '../errors.js';

export type SupervisedOptions = {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Every line the program prints. */
  onLine(line: string): void;
  /** What the supervisor itself has to say of it. */
  onEvent(level: 'info' | 'WARN' | 'ERROR', sentence: string): void;
  /** It ended so often that nobody tries again. */
  onGivenUp(error: Error): void;
};

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** One that lived longer has proved that it can. */
const SHORT_LIFE_MS = 10_000;
const MOST_SHORT_LIVES = 5;
/** Longer than a program takes to end by itself, deadline of its own included. */
const STOP_MS = 12_000;

const howItEnded = (code: number | null, signal: NodeJS.Signals | null) =>
  signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;

/** A program of the toolkit as a child process. It is started again when it dies, until `stop`. */
export class SupervisedProgram {
  readonly #options: SupervisedOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #exit: Promise<string> = Promise.resolve('');
  #life: Promise<void> = Promise.resolve();

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Resolves with its URLs once it serves; throws when it ends before that. From then on it is watched. */
  async run(): Promise<ReadyMessage['urls']> {
    let started = Date.now();
    const ready = await this.#spawn();
    if (ready === undefined) {
      const how = await this.#exit;
      throw programEnded(this.name, how);
    }
    this.#life = (async () => {
      for (let short = 0; ;) {
        const how = await this.#exit;
        if (this.#stopping.signal.aborted) return;
        short = Date.now() - started < SHORT_LIFE_MS ? short + 1 : 1;
        if (short >= MOST_SHORT_LIVES) {
          this.#options.onEvent('ERROR', `${how}, for the ${short}th time in a row`);
          return this.#options.onGivenUp(programKeepsEnding(this.name, short));
        }
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (short - 1));
        this.#options.onEvent('WARN', `${how} unexpectedly: starting it again in ${pause} ms`);
        await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
        if (this.#stopping.signal.aborted) return;
        started = Date.now();
        if ((await this.#spawn()) !== undefined) this.#options.onEvent('info', 'is back');
      }
    })();
    return ready;
  }

  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const deadline = setTimeout(() => {
        this.#options.onEvent('ERROR', `did not end within ${STOP_MS} ms and is killed`);
        child.kill('SIGKILL');
      }, STOP_MS);
      await this.#exit;
      clearTimeout(deadline);
    }
    await this.#life;
  }

  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  /** The URLs of its ready message, or undefined when it ended first. */
  async #spawn(): Promise<ReadyMessage['urls'] | undefined> {
    const { script, args, environment } = this.#options;
    // A process group of its own: Ctrl-C reaches us alone, and we end the programs in the right order. If we are
    // killed, the IPC channel closes, and runProgram ends on that.
    const child = spawn(process.execPath, [script, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#options.onLine(line));
    let failure = '';
    child.on('error', (error) => (failure = `could not be started (${error.message})`));
    // 'close' comes behind the last line it printed, 'exit' may come before.
    this.#exit = new Promise((done) =>
      child.once('close', (code, signal) => done(failure || howItEnded(code, signal))),
    );
    return Promise.race([
      new Promise<ReadyMessage['urls']>((done) =>
        child.on('message', (message: Partial<ReadyMessage>) => {
          if (message.ready === true) done(message.urls ?? {});
        }),
      ),
      this.#exit.then(() => undefined),
    ]);
  }
}
