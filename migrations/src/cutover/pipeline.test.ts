import { describe, expect, it } from '@jest/globals';
import { type CutoverState, isCommitted, isOver } from '@strangler/contracts';
import type { Cutover } from '../ledger/fold.js';
import { WAYS } from './advance-state.js';
import { drive } from './pipeline.js';
import { type CutoverSteps, done, failed } from './steps.js';

const STEPS = [
  'prepare',
  'hold',
  'fence',
  'catchUp',
  'verify',
  'open',
  'release',
  'reverse',
  'reopen',
] as const satisfies readonly (keyof CutoverSteps)[];

const at = (state: CutoverState): Cutover => ({
  unit: 'orders',
  epoch: 1,
  state,
  from: 'legacy',
  to: 'service',
  note: '',
  by: 'ann',
  why: null,
  startedAt: new Date(0).toISOString(),
  heldAt: null,
  at: new Date(0).toISOString(),
  planRevision: 'revision',
});

/** A journal in memory and steps that note that they were done. */
function bench(fails: Partial<Record<keyof CutoverSteps, number | 'always' | 'throws'>> = {}) {
  const asked: string[] = [];
  const left = { ...fails };
  const rows: Cutover[] = [];
  const step = (name: keyof CutoverSteps) => async () => {
    asked.push(name);
    const how = left[name];
    if (how === 'throws') throw new Error(`${name} threw`);
    if (how === 'always') return failed(`${name} failed`);
    if (typeof how === 'number' && how > 0) {
      left[name] = how - 1;
      return failed(`${name} failed`);
    }
    return done(name);
  };
  const steps = Object.fromEntries(STEPS.map((name) => [name, step(name)])) as CutoverSteps;
  let now = 0;
  const run = (cutover: Cutover, changes: object = {}) =>
    drive({
      cutover,
      steps,
      write: async (state, note) => {
        const last = rows.at(-1) ?? cutover;
        const heldAt = state === 'HOLDING' ? new Date(now).toISOString() : last.heldAt;
        rows.push({ ...last, state, note, heldAt });
        return rows.at(-1) as Cutover;
      },
      longestHoldMs: 1_000,
      now: () => now,
      sleep: async () => {},
      signal: new AbortController().signal,
      onStep: () => {},
      onRetry: () => {},
      ...changes,
    });
  return {
    asked,
    rows,
    run,
    states: () => rows.map(({ state }) => state),
    tick: (ms: number) => (now += ms),
  };
}

describe('a cutover', () => {
  it('does every step once, in order, and writes a row behind each state', async () => {
    const { run, asked, states } = bench();
    expect((await run(at('PREPARING'))).state).toBe('REVERSING');
    expect(asked).toEqual(STEPS.slice(0, -1));
    expect(states()).toEqual([
      'HOLDING',
      'FENCED',
      'CAUGHT_UP',
      'VERIFIED',
      'COMMITTED',
      'OPEN',
      'REVERSING',
    ]);
  });

  it.each(['prepare', 'hold', 'fence', 'catchUp', 'verify'] as const)(
    'goes back when "%s" fails or throws, opens the old fence again, and never commits',
    async (name) => {
      for (const how of ['always', 'throws'] as const) {
        const { run, asked, rows, states } = bench({ [name]: how });
        expect((await run(at('PREPARING'))).state).toBe('ABORTED');
        expect(states().slice(-2)).toEqual(['ABORTING', 'ABORTED']);
        expect(rows.find(({ state }) => state === 'ABORTING')?.note).toContain(name);
        expect(asked.at(-1)).toBe('reopen');
        expect(states().some(isCommitted)).toBe(false);
      }
    },
  );

  it.each(['open', 'release', 'reverse'] as const)(
    'never goes back from "%s", and tries it until it is done',
    async (name) => {
      const { run, asked, states } = bench({ [name]: 3 });
      expect((await run(at('PREPARING'))).state).toBe('REVERSING');
      expect(asked.filter((each) => each === name)).toHaveLength(4);
      expect(states()).not.toContain('ABORTING');
    },
  );

  it('tries to open the old fence again until it is open', async () => {
    const { run, asked } = bench({ fence: 'always', reopen: 5 });
    expect((await run(at('PREPARING'))).state).toBe('ABORTED');
    expect(asked.filter((each) => each === 'reopen')).toHaveLength(6);
  });

  it('is carried on from whatever state it was left in', async () => {
    for (const state of Object.keys(WAYS) as CutoverState[]) {
      const { run } = bench();
      const ended = await run(at(state));
      expect(isOver(ended.state)).toBe(true);
      expect(ended.state).toBe(state === 'ABORTING' ? 'ABORTED' : 'REVERSING');
    }
  });

  it('goes back when writes were held for too long, and not when it is committed', async () => {
    const late = bench();
    late.tick(5_000);
    const held = { heldAt: new Date(0).toISOString() };
    expect((await late.run({ ...at('CAUGHT_UP'), ...held })).state).toBe('ABORTED');
    expect(late.asked).toEqual(['reopen']);
    expect((await bench().run({ ...at('COMMITTED'), ...held })).state).toBe('REVERSING');
  });

  it('writes nothing more once somebody else carries on', async () => {
    const { run, states } = bench();
    const lost = new AbortController();
    await expect(
      run(at('PREPARING'), {
        signal: lost.signal,
        onStep: (note: string) => note === 'fence' && lost.abort(new Error('the lease is lost')),
      }),
    ).rejects.toThrow('the lease is lost');
    expect(states()).toEqual(['HOLDING']);
  });
});
