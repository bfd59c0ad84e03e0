import type { ChangeEvent, Offset, SourceTransaction } from '@strangler/contracts';
import type { ChangeSource } from './change-source.js';
import { logOffsetInvalid, logPurged } from './errors.js';

/** A source in memory that a test writes: `commit` adds a transaction, `purge` forgets all before an offset. */
export type FakeSource = ChangeSource & {
  commit(...changes: readonly ChangeEvent[]): void;
  purge(before: Offset): void;
  /** Transactions handed out so far, to all readers together. */
  readonly handedOut: number;
};

/** Larger transactions are handed out in pieces of this many changes. */
const CHANGES_A_PIECE = 1_000;

export function fakeSource(clock: () => number = Date.now): FakeSource {
  const log: SourceTransaction[] = [];
  let purged = 0;
  let handedOut = 0;
  let wake: (() => void)[] = [];
  const notify = () => {
    for (const done of wake.splice(0)) done();
  };
  return {
    get handedOut() {
      return handedOut;
    },
    commit(...changes) {
      if (changes.length === 0) return;
      const text = String(log.length + 1);
      log.push({
        id: `fake-${text}`,
        next: { text },
        committedAt: Math.floor(clock() / 1_000) * 1_000,
        changes,
      });
      notify();
    },
    purge: ({ text }) => {
      purged = Number(text);
    },
    now: async () => ({ text: String(log.length) }),
    async *stream(from, signal) {
      let at = Number(from.text);
      if (!Number.isInteger(at) || at > log.length) throw logOffsetInvalid(from.text);
      if (at < purged) throw logPurged('fake', from.text);
      signal.addEventListener('abort', notify, { once: true });
      while (!signal.aborted) {
        const next = log[at];
        if (next) {
          handedOut++;
          const { changes, ...rest } = next;
          let first = 0;
          for (; changes.length - first > CHANGES_A_PIECE; first += CHANGES_A_PIECE)
            yield {
              ...rest,
              next: { text: String(at) },
              changes: changes.slice(first, first + CHANGES_A_PIECE),
              isContinued: true,
            };
          at++;
          yield first === 0 ? next : { ...rest, changes: changes.slice(first) };
        } else await new Promise<void>((done) => (wake = [...wake, done]));
      }
    },
  };
}
