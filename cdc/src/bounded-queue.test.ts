import { describe, expect, it } from '@jest/globals';
import { BoundedQueue } from './bounded-queue.js';

const counted = (limit: number) => {
  const calls: string[] = [];
  return {
    calls,
    queue: new BoundedQueue<number>({
      limit,
      onFull: () => calls.push('full'),
      onRoom: () => calls.push('room'),
    }),
  };
};

describe('a bounded queue', () => {
  it('tells its producer to hold at the limit, and to go on when half of it is gone', async () => {
    const { calls, queue } = counted(10);
    for (let item = 0; item < 10; item++) queue.push(item, 1);
    queue.end();
    expect(calls).toEqual(['full']);
    const seen: string[] = [];
    for await (const item of queue) seen.push(`${item}: ${calls.join()}`);
    expect(seen.slice(4, 6)).toEqual(['4: full', '5: full,room']);
    expect(seen).toHaveLength(10);
  });

  it('hands out what came before the failure, then the failure', async () => {
    const { queue } = counted(10);
    queue.push(1, 1);
    queue.end(new Error('gone'));
    queue.end(new Error('later'));
    queue.push(2, 1);
    const items: number[] = [];
    const reading = (async () => {
      for await (const item of queue) items.push(item);
    })();
    await expect(reading).rejects.toThrow('gone');
    expect(items).toEqual([1]);
  });

  it('wakes a consumer that waits', async () => {
    const { queue } = counted(10);
    const next = queue[Symbol.asyncIterator]().next();
    queue.push(7, 1);
    expect(await next).toEqual({ done: false, value: 7 });
  });
});
