export type PlacesOptions = {
  /** So many are in at once. */
  readonly most: number;
  /** So many more may wait, first come first served. */
  readonly queue: number;
  readonly queueMs: number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

export type Places = {
  /**
   * Whether there is a place; a promise when it has to be waited for. Whoever is let in has to leave. With a patience it waits for so long, and however
   * many others do.
   */
  enter(patienceMs?: number): boolean | Promise<boolean>;
  /** The same without waiting. */
  enterNow(): boolean;
  leave(): void;
  readonly taken: () => number;
  readonly waiting: () => number;
};

/** A bounded number of places with a bounded queue before it. */
export function createPlaces({ most, queue, queueMs, sleep }: PlacesOptions): Places {
  const line = new Set<(isIn: boolean) => void>();
  let taken = 0;

  const enterNow = (): boolean => {
    if (taken >= most) return false;
    taken++;
    return true;
  };
  const wait = async (milliseconds: number): Promise<boolean> => {
    const over = new AbortController();
    const isIn = await new Promise<boolean>((settle) => {
      line.add(settle);
      void sleep(milliseconds, over.signal).then(() => line.delete(settle) && settle(false));
    });
    over.abort();
    return isIn;
  };
  return {
    // Nobody overtakes those who wait: while there is a line, no place is ever free.
    enter(patienceMs) {
      if (enterNow()) return true;
      if (patienceMs !== undefined) return wait(patienceMs);
      return line.size < queue && wait(queueMs);
    },
    enterNow,
    leave() {
      const [next] = line;
      if (next === undefined) return void taken--;
      // The place goes to the next in line without becoming free in between.
      line.delete(next);
      next(true);
    },
    taken: () => taken,
    waiting: () => line.size,
  };
}
