import { describe, expect, it } from '@jest/globals';
import { explore, type Model } from './explore.js';

/** A walk over bytes [a, b] that counts either of them up to 3. */
const counting = (more: Partial<Model> = {}): Model => ({
  initial: Uint8Array.of(0, 0),
  eachNext: (state, emit) => {
    for (const at of [0, 1])
      if (state.at(at) !== 3) {
        const next = state.map((byte, place) => (place === at ? byte + 1 : byte));
        emit(next, () => `number ${at} becomes ${next[at]}`);
      }
  },
  brokenIn: () => null,
  isGoal: (state) => state[0] === 3 && state[1] === 3,
  ...more,
});

describe('a search of all states', () => {
  it('sees each state once, and each way between two', () => {
    expect(explore(counting())).toEqual({
      states: 16,
      transitions: 24,
      depth: 6,
      goals: 1,
      violation: null,
      isComplete: true,
    });
  });

  it('tells the shortest way to a broken invariant', () => {
    const { violation, isComplete } = explore(
      counting({ brokenIn: (state) => (state[0] === 2 && state[1] === 1 ? 'Never21' : null) }),
    );
    expect(violation).toEqual({
      invariant: 'Never21',
      trace: ['number 0 becomes 1', 'number 0 becomes 2', 'number 1 becomes 1'],
    });
    expect(isComplete).toBe(false);
  });

  it('finds the state from which no way leads to the goal', () => {
    const { violation } = explore(counting({ isGoal: (state) => state[0] === 1 && state[1] === 3 }));
    expect(violation).toEqual({
      invariant: 'Convergence',
      trace: [
        'number 0 becomes 1',
        'number 0 becomes 2',
        'from here no schedule leads to both sides equal and writes served',
      ],
    });
  });

  it('goes round in circles without end and says that all is well', () => {
    const circle = counting({
      eachNext: (state, emit) =>
        emit(
          state.map((byte, place) => (place === 0 ? (byte + 1) % 200 : 0)),
          () => 'on',
        ),
      isGoal: (state) => state[0] === 7,
    });
    expect(explore(circle)).toMatchObject({ states: 200, violation: null });
  });

  it('keeps states apart beyond what its table first holds', () => {
    const many = counting({
      eachNext: (state, emit) => {
        for (const at of [0, 1, 2])
          if (state.at(at) !== 59) {
            const next = state.map((byte, place) => (place === at ? byte + 1 : byte));
            emit(next, () => 'on');
          }
      },
      initial: new Uint8Array(3),
      isGoal: (state) => state.every((byte) => byte === 59),
    });
    expect(explore(many)).toMatchObject({ states: 216_000, depth: 177, violation: null });
  });

  it('ends at the bound and does not call that complete', () => {
    expect(explore(counting(), 3)).toMatchObject({ violation: null, isComplete: false });
  });
});
