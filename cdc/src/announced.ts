/** What was read between two watermarks and waits for its high one to come round in the log: chunks of a backfill, repairs. */
export type Announced<Item> = {
  /** Resolves when the item is applied; rejects when that will not be. */
  announce(item: Item): Promise<void>;
  of(high: string): Item | undefined;
  applied(item: Item): void;
  /** Nothing announced will be applied any more. */
  end(reason: unknown): void;
};

export function createAnnounced<Item extends { readonly high: string }>(): Announced<Item> {
  const waiting = new Map<
    string,
    { readonly item: Item; readonly done: () => void; readonly fail: (reason: unknown) => void }
  >();
  let ended: { readonly reason: unknown } | undefined;
  return {
    announce: (item) =>
      new Promise((done, fail) => {
        if (ended) fail(ended.reason);
        else waiting.set(item.high, { item, done, fail });
      }),
    of: (high) => waiting.get(high)?.item,
    applied({ high }) {
      waiting.get(high)?.done();
      waiting.delete(high);
    },
    end(reason) {
      ended = { reason };
      for (const { fail } of waiting.values()) fail(reason);
      waiting.clear();
    },
  };
}
