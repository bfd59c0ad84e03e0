import { describe, expect, it } from '@jest/globals';
import { inBatches } from './in-batches.js';

async function* of<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

describe('batches', () => {
  it('take what is there up to the limit by weight, and no item is split, lost or moved', async () => {
    const batches: number[][] = [];
    for await (const batch of inBatches(of(1, 1, 5, 1, 1, 1), 3, (weight) => weight)) batches.push(batch);
    expect(batches).toEqual([
      [1, 1, 5],
      [1, 1, 1],
    ]);
  });

  it('do not wait for more than is there', async () => {
    let release: () => void = () => {};
    async function* slow() {
      yield 1;
      await new Promise<void>((done) => (release = done));
      yield 2;
    }
    const batches = inBatches(slow(), 100, () => 1);
    expect((await batches.next()).value).toEqual([1]);
    release();
    expect((await batches.next()).value).toEqual([2]);
  });

  it('pass on a failure after what came before it', async () => {
    async function* failing() {
      yield 1;
      throw new Error('gone');
    }
    const batches = inBatches(failing(), 100, () => 1);
    expect((await batches.next()).value).toEqual([1]);
    await expect(batches.next()).rejects.toThrow('gone');
  });

  it('end the source when nobody wants more', async () => {
    let isEnded = false;
    async function* endless() {
      try {
        for (;;) yield 1;
      } finally {
        isEnded = true;
      }
    }
    for await (const batch of inBatches(endless(), 2, () => 1)) if (batch.length > 0) break;
    expect(isEnded).toBe(true);
  });
});
