/** Texts with their right signatures that have been looked at: an HMAC is most of what a decision costs. */
export type Believed = {
  /** Whether the text is right; `look` is asked when it is not known to be. A wrong one is never kept. */
  isRight(text: string, look: () => boolean): boolean;
};

// About 3 MB; whoever falls out of it is only looked at again.
const MOST = 10_000;

export function createBelieved(most = MOST): Believed {
  const right = new Set<string>();
  return {
    isRight(text, look) {
      if (right.has(text)) return true;
      if (!look()) return false;
      if (right.size >= most) right.delete(right.values().next().value as string);
      right.add(text);
      return true;
    },
  };
}
