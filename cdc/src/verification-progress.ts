import { addTally, newTally, type Tally } from './verification-tally.js';
import type { TablePair } from './table-pair.js';

/** How far a verification is: everything before is read, and settled where it differed. `lastKey` is a text of `printKey`. */
export type Place = { readonly pair: number; readonly pass: number; readonly lastKey: string | null };

/** What is kept of a verification that goes on. */
export type KeptProgress = { readonly place: Place; readonly tallies: readonly Tally[] };

/** One chunk: what it has found so far, and how many of its keys are still being looked at. */
export type Mark = { readonly tally: Tally; read(): void; open(): void; settled(): void };

/**
 * Chunks are settled in any order, and what is kept goes on over those only that have all before them settled: from there a verification that was broken off goes
 * on, and nothing is counted twice or left out.
 */
export type VerificationProgress = {
  /** A chunk that ends at the place. */
  begin(place: Place): Mark;
  /** What may be kept now. */
  kept(): KeptProgress;
};

type Waiting = { readonly place: Place; readonly tally: Tally; keys: number; isRead: boolean };

export function verificationProgress(
  pairs: readonly TablePair[],
  start: KeptProgress | undefined,
): VerificationProgress {
  const waiting: Waiting[] = [];
  let place = start?.place ?? { pair: 0, pass: 0, lastKey: null };
  const tallies = pairs.map((pair, index) => {
    const whole = newTally(pair);
    const before = start?.tallies[index];
    if (before) addTally(whole, before);
    return whole;
  });
  const goOn = () => {
    while (waiting[0]?.isRead && waiting[0].keys === 0) {
      const done = waiting.shift() as Waiting;
      addTally(tallies[done.place.pair] as Tally, done.tally);
      // Behind the last chunk of a table the next one begins.
      place = done.place;
    }
  };
  return {
    begin(at) {
      const chunk: Waiting = {
        place: at,
        tally: newTally(pairs[at.pair] as TablePair),
        keys: 0,
        isRead: false,
      };
      waiting.push(chunk);
      return {
        tally: chunk.tally,
        read() {
          chunk.isRead = true;
          goOn();
        },
        open: () => void chunk.keys++,
        settled() {
          chunk.keys--;
          goOn();
        },
      };
    },
    kept: () => ({ place, tallies }),
  };
}
