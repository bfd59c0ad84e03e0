const tails = new WeakMap<object, Promise<unknown>>();

/** Runs works that belong to the same key one after the other, whether or not the one before failed. */
export function serially<T>(key: object, work: () => Promise<T>): Promise<T> {
  const result = (tails.get(key) ?? Promise.resolve()).then(work, work);
  tails.set(
    key,
    result.catch(() => {}),
  );
  return result;
}
