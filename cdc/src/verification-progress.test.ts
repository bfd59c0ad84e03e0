import { describe, expect, it } from '@jest/globals';
import type { TablePair } from './table-pair.js';
import { verificationProgress } from './verification-progress.js';

const pair = { target: { name: 'item' }, children: [] } as unknown as TablePair;
const begin = (kept?: Parameters<typeof verificationProgress>[1]) => {
  const progress = verificationProgress([pair], kept);
  const chunk = (lastKey: string, rows: number) => {
    const mark = progress.begin({ pair: 0, pass: 0, lastKey });
    if (mark.tally[0]) mark.tally[0].sourceRows += rows;
    return mark;
  };
  const now = () => {
    const { place, tallies } = progress.kept();
    return [place.lastKey, tallies[0]?.[0]?.sourceRows];
  };
  return { progress, chunk, now };
};

describe('how far a verification is', () => {
  it('goes on over chunks in their order, whichever ends first', () => {
    const { chunk, now } = begin();
    const [one, two, three] = [chunk('a', 1), chunk('b', 10), chunk('c', 100)];
    two.read();
    expect(now()).toEqual([null, 0]);
    one.read();
    expect(now()).toEqual(['b', 11]);
    three.read();
    expect(now()).toEqual(['c', 111]);
  });

  it('waits for keys that are still looked at, so that none of them is forgotten', () => {
    const { chunk, now } = begin();
    const [one, two] = [chunk('a', 1), chunk('b', 10)];
    one.open();
    one.open();
    one.read();
    two.read();
    one.settled();
    expect(now()).toEqual([null, 0]);
    one.settled();
    expect(now()).toEqual(['b', 11]);
  });

  it('adds to what was kept', () => {
    const first = begin();
    first.chunk('a', 5).read();
    const kept = JSON.parse(JSON.stringify(first.progress.kept())) as Parameters<typeof begin>[0];
    const second = begin(kept);
    expect(second.now()).toEqual(['a', 5]);
    second.chunk('b', 2).read();
    expect(second.now()).toEqual(['b', 7]);
  });
});
