import { describe, expect, it } from '@jest/globals';
import {
  areWritesHeld,
  assertCutoverTransition,
  authorityIn,
  CUTOVER_STATES,
  isCommitted,
  isOver,
  NEXT_CUTOVER_STATES,
  openFenceIn,
} from './cutover.js';

const everyPath = (path: readonly (typeof CUTOVER_STATES)[number][]): (typeof path)[] => {
  const next = NEXT_CUTOVER_STATES[path.at(-1) ?? 'PREPARING'];
  return next.length === 0 ? [path] : next.flatMap((state) => everyPath([...path, state]));
};
const paths = everyPath(['PREPARING']);

describe('the states of a cutover', () => {
  it('all lead to an end, and none can be passed over', () => {
    expect(new Set(paths.flat())).toEqual(new Set(CUTOVER_STATES));
    expect(paths.map((path) => path.at(-1)).every((state) => state !== undefined && isOver(state))).toBe(
      true,
    );
    expect(() => assertCutoverTransition('orders', 'FENCED', 'COMMITTED')).toThrow(
      'cutover of "orders" cannot go from "FENCED" to "COMMITTED": allowed from "FENCED" is "CAUGHT_UP" or "ABORTING"',
    );
  });

  it('change the side that may write once, at the point of no return', () => {
    for (const path of paths) {
      const sides = path.map((state) => authorityIn(state, 'legacy', 'service'));
      expect(sides).toEqual(path.map((state) => (isCommitted(state) ? 'service' : 'legacy')));
      expect(path.includes('COMMITTED') && path.includes('ABORTING')).toBe(false);
    }
  });

  it('never have the fence of the side open that may not write, nor let a write through to a closed one', () => {
    for (const state of CUTOVER_STATES) {
      const open = openFenceIn(state, 'legacy', 'service');
      expect([null, authorityIn(state, 'legacy', 'service')]).toContain(open);
    }
    const closed = CUTOVER_STATES.filter((state) => openFenceIn(state, 'legacy', 'service') === null);
    expect(closed.filter((state) => !areWritesHeld(state))).toEqual([]);
  });
});
