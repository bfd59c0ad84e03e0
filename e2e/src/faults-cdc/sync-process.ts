import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationSync } from '@strangler/contracts';
import type { MutantName } from './mutants.js';

/** The built program, whether this file is built or not. */
const CHILD = resolve(import.meta.dirname, '../../dist/faults-cdc/sync-child.js');
const ANSWER_MS = 2_000;
const WORKS_WITHIN_MS = 3_000;
const OUTPUT_KEPT = 4_000;

/** Turns the clock of sync by so many milliseconds; holds a mutant between its two steps. */
export type SyncMessage = { readonly turnBy: number } | { readonly hold: true };

/** How long a mutant is waited for: one that is not torn in two, or has nothing to do, does not answer. */
const HELD_WITHIN_MS = 1_000;

/** Sync as a process of its own; there is at most one at a time. */
export type SyncProcess = {
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  turnClock(byMs: number): void;
  /** Waits until something was applied since the start, at most some seconds: what hurts next may come sooner. */
  works(): Promise<void>;
  /** Undefined when it does not answer. */
  evidence(): Promise<MigrationSync | undefined>;
  /** Asks it to repair all parked keys; it may be unable to just now. */
  retryParked(): Promise<void>;
  readonly output: () => string;
};

export type SyncProcessOptions = {
  readonly plan: string;
  readonly source: string;
  readonly target: string;
  readonly seed: number;
  /** Breaks one of its promises. */
  readonly mutant?: MutantName;
};

export function syncProcess({ plan, source, target, seed, mutant }: SyncProcessOptions): SyncProcess {
  let child: ChildProcess | undefined;
  let admin: string | undefined;
  let turnedBy = 0;
  let starts = 0;
  let output = '';
  const ask = async (path: string, init: RequestInit = {}) => {
    if (admin === undefined) return undefined;
    try {
      const response = await fetch(`${admin}${path}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
      return (await response.json()) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  };
  const evidence = async () => {
    const answer = await ask('/evidence');
    return (answer?.['migrations'] as Record<string, MigrationSync> | undefined)?.['money'];
  };
  return {
    async start() {
      const started = fork(
        CHILD,
        [plan, source, target, String(seed + starts++), String(turnedBy), mutant ?? ''],
        {
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          execArgv: [],
        },
      );
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_KEPT)));
      const ended = once(started, 'exit').then(() => undefined);
      const ready = once(started, 'message').then(([message]) => message as { readonly admin: string });
      const told = await Promise.race([ready, ended]);
      // It may have been killed before it was ready; what ends by itself has said why.
      if (told === undefined && started.exitCode !== null)
        throw new Error(`sync ended with ${started.exitCode}: ${output}`);
      admin = told?.admin;
    },
    async kill() {
      const killed = child;
      child = admin = undefined;
      if (!killed || killed.exitCode !== null || killed.signalCode !== null) return;
      const ended = once(killed, 'exit');
      if (mutant !== undefined && killed.connected) {
        killed.send({ hold: true } satisfies SyncMessage);
        await Promise.race([once(killed, 'message'), ended, delay(HELD_WITHIN_MS)]);
      }
      killed.kill('SIGKILL');
      await ended;
    },
    signal: (signal) => void child?.kill(signal),
    turnClock(byMs) {
      turnedBy += byMs;
      if (child?.connected) child.send({ turnBy: byMs } satisfies SyncMessage);
    },
    async works() {
      for (const deadline = performance.now() + WORKS_WITHIN_MS; performance.now() < deadline;) {
        if (((await evidence())?.applied.transactions ?? 0) > 0) return;
        await delay(50);
      }
    },
    evidence,
    async retryParked() {
      await ask('/migrations/money/parked/retry', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    },
    output: () => output,
  };
}
