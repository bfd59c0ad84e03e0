import { setImmediate as turn } from 'node:timers/promises';

/** Groups what is there already: up to `limit` by weight, never waiting for more, never splitting an item. */
export async function* inBatches<Item>(
  items: AsyncIterable<Item>,
  limit: number,
  weigh: (item: Item) => number,
): AsyncGenerator<Item[]> {
  const iterator = items[Symbol.asyncIterator]();
  const ask = () => {
    const next = iterator.next();
    // It may fail while the batch before it is being worked on; it is awaited after.
    next.catch(() => {});
    return next;
  };
  try {
    let pending = ask();
    for (;;) {
      const first = await pending;
      if (first.done) return;
      const batch = [first.value];
      let weight = weigh(first.value);
      pending = ask();
      while (weight < limit) {
        const ready = await Promise.race([pending.catch(() => undefined), turn(undefined)]);
        if (!ready || ready.done) break;
        batch.push(ready.value);
        weight += weigh(ready.value);
        pending = ask();
      }
      yield batch;
    }
  } finally {
    await iterator.return?.();
  }
}
