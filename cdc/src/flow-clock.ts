import { randomBytes } from 'node:crypto';

/**
 * A clock of this process that never goes back, whatever is done to the time of day. Its times can be compared with each other
 * and with nothing else, so they go by its id.
 */
export type FlowClock = {
  readonly id: string;
  /** Milliseconds; near the time of day when the process started. */
  now(): number;
};

export const flowClock = (): FlowClock => ({
  id: randomBytes(9).toString('base64url'),
  now: () => performance.timeOrigin + performance.now(),
});
