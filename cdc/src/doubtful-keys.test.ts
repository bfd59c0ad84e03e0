import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createDoubtfulKeys } from './doubtful-keys.js';
import type { TablePair } from './table-pair.js';
import type { Mark } from './verification-progress.js';

const pair = {} as TablePair;
const markOf = () => {
  let keys = 0;
  const mark: Mark = { tally: [], read() {}, open: () => void keys++, settled: () => void keys-- };
  return { mark, open: () => keys };
};

describe('keys that are looked at again', () => {
  it('are settled in lists, each once, and let their chunk go', async () => {
    const { mark, open } = markOf();
    const settled: unknown[] = [];
    const lists: number[] = [];
    const doubtful = createDoubtfulKeys(
      async (_, keys) => {
        lists.push(keys.length);
        await turn();
        return keys.map((key) => ({ key, differences: [] }));
      },
      async (_, of, { key }) => void settled.push(of === mark && key['id']),
    );
    for (let id = 0; id < 1_500; id++) doubtful.add(pair, { id: String(id) }, mark);
    const done = doubtful.run();
    doubtful.end();
    await done;
    expect([lists, open()]).toEqual([[1_000, 500], 0]);
    expect(new Set(settled).size).toBe(1_500);
  });

  it('are bounded: who finds more waits until there is room', async () => {
    const { mark } = markOf();
    const doubtful = createDoubtfulKeys(
      async (_, keys) => keys.map((key) => ({ key, differences: [] })),
      async () => {},
    );
    for (let id = 0; id < 5_000; id++) doubtful.add(pair, { id: String(id) }, mark);
    let hasRoom = false;
    const room = doubtful.room().then(() => (hasRoom = true));
    await turn();
    expect(hasRoom).toBe(false);
    const done = doubtful.run();
    await room;
    doubtful.end();
    await done;
  });

  it('end with the failure of a look, for those who wait too', async () => {
    const { mark } = markOf();
    const doubtful = createDoubtfulKeys(
      async () => {
        throw new Error('gone');
      },
      async () => {},
    );
    for (let id = 0; id < 6_000; id++) doubtful.add(pair, { id: String(id) }, mark);
    const room = doubtful.room();
    await expect(doubtful.run()).rejects.toThrow('gone');
    await expect(room).rejects.toThrow('gone');
    await expect(doubtful.room()).rejects.toThrow('gone');
  });
});
