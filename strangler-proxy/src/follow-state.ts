import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  NOTHING_KNOWN,
  reasonOf,
  type RoutingState,
  routingStateSchema,
  type StateSubscription,
} from '@strangler/contracts';
import { stateFileInvalid } from './errors.js';

export type FollowOptions = {
  /** Undefined: there is no control plane, nothing ever changes. */
  readonly subscription: StateSubscription | undefined;
  /** Where the last state is kept; undefined: nowhere. */
  readonly file: string | undefined;
  readonly log: Logger;
  /** Puts a state into force; the promise says when it may be acknowledged. `isNews` is false for the state of the last run. */
  readonly onState: (state: RoutingState, isNews: boolean) => Promise<void>;
};

export type Following = { stop(): Promise<void> };

// A start waits this long for the control plane, so that the first requests are not routed by an old state for no reason.
const FIRST_STATE_MS = 1_000;

/**
 * Puts the last known state into force, then each newer one, and keeps it for the next start. A state file that cannot be read
 * or written is told and otherwise does not matter.
 */
export async function followState({ subscription, file, log, onState }: FollowOptions): Promise<Following> {
  // Nobody is told of this one, and nothing is on its way yet.
  void onState(await lastState(file, log), false);
  if (!subscription) return { stop: async () => {} };
  const ending = new AbortController();
  let arrived = () => {};
  const first = new Promise<void>((done) => (arrived = done));
  const run = subscription.run(async (state) => {
    const inForce = onState(state, true);
    arrived();
    await keep(file, state, log);
    await inForce;
  }, ending.signal);
  await Promise.race([first, delay(FIRST_STATE_MS, undefined, { ref: false })]);
  return {
    async stop() {
      ending.abort();
      await run;
    },
  };
}

async function lastState(file: string | undefined, log: Logger): Promise<RoutingState> {
  if (file === undefined) return NOTHING_KNOWN;
  try {
    return routingStateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn(stateFileInvalid(file, error).message);
    return NOTHING_KNOWN;
  }
}

async function keep(file: string | undefined, state: RoutingState, log: Logger): Promise<void> {
  if (file === undefined) return;
  try {
    // Renamed into place: a start in the middle of a write must not find half a state.
    // Workers of one proxy keep the same file.
    const piece = `${file}.${process.pid}.new`;
    await writeFile(piece, `${JSON.stringify(state)}\n`);
    await rename(piece, file);
  } catch (error) {
    log.warn(
      `state file "${file}" cannot be written (${reasonOf(error)}): correct proxy.stateFile or its folder`,
    );
  }
}
