import { describe, expect, it } from '@jest/globals';
import type { ThrottleLimits } from '@strangler/contracts';
import type { ServerLoad } from './server-load.js';
import { createThrottle } from './throttle.js';

const LIMITS: ThrottleLimits = {
  maxLagMs: 1_000,
  maxThreadsRunning: 20,
  maxRowLockWaits: 4,
  maxHistoryLength: 100,
};
const CALM: ServerLoad = { threadsRunning: 1, rowLockWaits: 0, historyLength: null };

/** A throttle whose clock stands still but for its own sleeps; `steps` happen one after each sleep. */
function rig(limits: Partial<ThrottleLimits> = {}) {
  const state = { now: 0, lag: null as number | null, source: CALM, target: CALM, looks: 0 };
  const reasons: (string | null)[] = [];
  const steps: (() => void)[] = [];
  const throttle = createThrottle({
    limits: { ...LIMITS, ...limits },
    lagMs: () => state.lag,
    servers: {
      legacy: async () => (state.looks++, state.source),
      service: async () => state.target,
    },
    now: () => state.now,
    async sleep(milliseconds) {
      state.now += milliseconds;
      const step = steps.shift();
      if (!step) throw new Error('still throttled');
      step();
    },
    onReason: (reason) => void reasons.push(reason),
  });
  return { state, reasons, steps, pass: () => throttle.pass(new AbortController().signal) };
}

describe('a throttle', () => {
  it('looks once a second however often it is asked', async () => {
    const { state, pass, reasons } = rig();
    for (let asked = 0; asked < 50; asked++) await pass();
    expect(state.looks).toBe(1);
    state.now = 1_000;
    await pass();
    expect([state.looks, reasons]).toEqual([2, [null, null]]);
  });

  it('pauses for any one reason, tells all of them, and goes on when the last is gone', async () => {
    const { state, steps, reasons, pass } = rig();
    state.lag = 1_500.4;
    state.target = { threadsRunning: 21, rowLockWaits: 5, historyLength: 101 };
    steps.push(
      () => (state.lag = 0),
      () => (state.target = { ...CALM, rowLockWaits: 5 }),
      () => (state.target = CALM),
    );
    await pass();
    const [threads, waits, history] = [
      'database "service" has 21 threads running (sync.throttle.maxThreadsRunning is 20)',
      'database "service" has 5 statements waiting for rows (sync.throttle.maxRowLockWaits is 4)',
      'database "service" has 101 row versions to purge (sync.throttle.maxHistoryLength is 100)',
    ];
    expect(reasons).toEqual([
      `the stream is 1500 ms behind its source (sync.throttle.maxLagMs is 1000); ${threads}; ${waits}; ${history}`,
      `${threads}; ${waits}; ${history}`,
      waits,
      null,
    ]);
  });

  it('goes on at three quarters of a limit, not at the limit, and pauses again only beyond it', async () => {
    const { state, steps, reasons, pass } = rig();
    state.source = { ...CALM, threadsRunning: 21 };
    steps.push(
      () => (state.source = { ...CALM, threadsRunning: 16 }),
      () => (state.source = { ...CALM, threadsRunning: 15 }),
    );
    await pass();
    expect(reasons.map((reason) => reason !== null)).toEqual([true, true, false]);
    state.now += 1_000;
    state.source = { ...CALM, threadsRunning: 20 };
    await pass();
    expect(reasons.at(-1)).toBeNull();
  });

  it('with a limit of one goes on when only its own question runs', async () => {
    const { state, steps, reasons, pass } = rig({ maxThreadsRunning: 1 });
    state.source = { ...CALM, threadsRunning: 2 };
    steps.push(() => (state.source = CALM));
    await pass();
    expect(reasons.at(-1)).toBeNull();
  });

  it('does not ask for what has the limit 0, and ends when it is told to', async () => {
    const { state, steps, pass } = rig({ maxLagMs: 0, maxThreadsRunning: 0 });
    state.lag = 1e9;
    state.source = { ...CALM, threadsRunning: 1_000 };
    await pass();
    state.source = { ...CALM, rowLockWaits: 9 };
    state.now += 1_000;
    steps.push(() => {});
    await expect(pass()).rejects.toThrow('still throttled');
  });
});
