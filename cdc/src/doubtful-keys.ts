import type { Row } from '@strangler/contracts';
import type { Verdict } from './look-again.js';
import type { TablePair } from './table-pair.js';
import type { Mark } from './verification-progress.js';

/** Keys that wait at most: those who find more wait too, so that memory has a bound whatever differs. */
const MOST_WAITING = 5_000;
const KEYS_A_LOOK = 1_000;

type Doubt = { readonly pair: TablePair; readonly key: Row; readonly mark: Mark };

/** Keys that did not look equal, and are looked at again beside the scan. */
export type DoubtfulKeys = {
  add(pair: TablePair, key: Row, mark: Mark): void;
  /** Resolves when there is room for more; rejects when looking again has failed. */
  room(): Promise<void>;
  /** Looks at what comes until `end` was called and nothing is left. */
  run(): Promise<void>;
  end(): void;
};

export function createDoubtfulKeys(
  look: (pair: TablePair, keys: readonly Row[]) => Promise<readonly Verdict[]>,
  settle: (pair: TablePair, mark: Mark, verdict: Verdict) => Promise<void>,
): DoubtfulKeys {
  let waiting: Doubt[] = [];
  let isEnding = false;
  let failure: { readonly error: unknown } | undefined;
  let tell: () => void = () => {};
  let news = new Promise<void>((done) => (tell = done));
  const wake = () => {
    tell();
    news = new Promise<void>((done) => (tell = done));
  };

  async function lookAtSome(): Promise<void> {
    const { pair } = waiting[0] as Doubt;
    const chosen = waiting.filter((doubt) => doubt.pair === pair).slice(0, KEYS_A_LOOK);
    const taken = new Set(chosen);
    waiting = waiting.filter((doubt) => !taken.has(doubt));
    wake();
    const marks = new Map(chosen.map(({ key, mark }) => [key, mark]));
    const verdicts = await look(
      pair,
      chosen.map(({ key }) => key),
    );
    for (const verdict of verdicts) await settle(pair, marks.get(verdict.key) as Mark, verdict);
    for (const { mark } of chosen) mark.settled();
  }

  return {
    add(pair, key, mark) {
      mark.open();
      waiting.push({ pair, key, mark });
      wake();
    },
    async room() {
      for (;;) {
        if (failure) throw failure.error;
        if (waiting.length < MOST_WAITING) return;
        await news;
      }
    },
    async run() {
      try {
        for (;;) {
          if (waiting.length > 0) await lookAtSome();
          else if (isEnding) return;
          else await news;
        }
      } catch (error) {
        failure = { error };
        throw error;
      } finally {
        wake();
      }
    },
    end() {
      isEnding = true;
      wake();
    },
  };
}
