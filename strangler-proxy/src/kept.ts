/** What several plans in force may use at once: opened by the first that asks for a key, closed when the last has let it go. */
export type Kept<T> = {
  take(key: string, open: () => T): T;
  letGo(key: string): Promise<void>;
};

export function createKept<T>(close: (value: T) => Promise<void> | void): Kept<T> {
  const held = new Map<string, { readonly value: T; holders: number }>();
  return {
    take(key, open) {
      const entry = held.get(key) ?? { value: open(), holders: 0 };
      entry.holders++;
      held.set(key, entry);
      return entry.value;
    },
    async letGo(key) {
      const entry = held.get(key);
      if (!entry || --entry.holders > 0) return;
      held.delete(key);
      await close(entry.value);
    },
  };
}
