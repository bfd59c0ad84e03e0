import type { HoldLimits, StranglerError } from '@strangler/contracts';
import { holdFull, holdTimeout, proxyStopping } from './errors.js';
import { retryLater, type Refusal } from './refuse.js';

/** What became of writes that were held; `left`: their clients hung up, and nobody has seen them. */
export type HeldOutcome = 'released' | 'too-many' | 'too-large' | 'timeout' | 'stopping' | 'left';

export type Held = {
  /** A refusal when it may not wait any more. */
  readonly ended: Promise<'released' | 'left' | Refusal>;
  /** Its client has hung up. */
  leave(): void;
};

export type HoldWish = {
  readonly migration: string;
  readonly limits: HoldLimits;
  /** What it may take of memory until it is released. */
  readonly bytes: number;
  /** How long it may wait. */
  readonly milliseconds: number;
};

export type Hold = {
  hold(wish: HoldWish): Held | Refusal;
  /** Lets the writes of this migration go, in the order they came; those that come meanwhile are not held. */
  release(migration: string): void;
  /** Keeps those that `release` has not come to yet. */
  keep(migration: string): void;
  /** Nobody is held any more, from now on. */
  stop(): void;
  held(migration: string): number;
};

export type HoldOptions = {
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly onEnded: (migration: string, outcome: HeldOutcome) => void;
};

type Entry = { readonly migration: string; end(outcome: HeldOutcome, refusal?: StranglerError): void };

// So many are judged and sent in one turn of the event loop: thousands would keep the reads waiting.
const RELEASED_AT_ONCE = 64;

/** A bounded line of writes of which nothing has been forwarded, over all migrations and plans. */
export function createHold({ sleep, onEnded }: HoldOptions): Hold {
  const line = new Set<Entry>();
  const counts = new Map<string, number>();
  const releasing = new Set<string>();
  let bytes = 0;
  let isStopped = false;
  const count = (migration: string, by: number) =>
    void counts.set(migration, (counts.get(migration) ?? 0) + by);

  const letSomeGo = (migration: string): void => {
    if (!releasing.has(migration)) return;
    let left = RELEASED_AT_ONCE;
    for (const entry of line) {
      if (entry.migration !== migration) continue;
      if (left-- === 0) return void setImmediate(() => letSomeGo(migration));
      entry.end('released');
    }
    releasing.delete(migration);
  };

  return {
    hold({ migration, limits, bytes: size, milliseconds }) {
      const refuse = (outcome: HeldOutcome, error: StranglerError): Refusal => {
        onEnded(migration, outcome);
        return retryLater(error);
      };
      if (isStopped) return refuse('stopping', proxyStopping(migration));
      if (milliseconds <= 0) return refuse('timeout', holdTimeout(migration, limits.maxMs));
      if (line.size >= limits.maxRequests) return refuse('too-many', holdFull(migration, 'maxRequests'));
      if (bytes + size > limits.maxBytes) return refuse('too-large', holdFull(migration, 'maxBytes'));
      const over = new AbortController();
      let settle: (how: 'released' | 'left' | Refusal) => void = () => {};
      const ended = new Promise<'released' | 'left' | Refusal>((done) => (settle = done));
      const entry: Entry = {
        migration,
        end(outcome, refusal) {
          if (!line.delete(entry)) return;
          count(migration, -1);
          bytes -= size;
          over.abort();
          onEnded(migration, outcome);
          if (refusal) settle(retryLater(refusal));
          else settle(outcome === 'left' ? 'left' : 'released');
        },
      };
      line.add(entry);
      count(migration, 1);
      bytes += size;
      void sleep(milliseconds, over.signal).then(() =>
        entry.end('timeout', holdTimeout(migration, limits.maxMs)),
      );
      return { ended, leave: () => entry.end('left') };
    },
    release(migration) {
      if (releasing.has(migration)) return;
      releasing.add(migration);
      letSomeGo(migration);
    },
    keep: (migration) => void releasing.delete(migration),
    stop() {
      isStopped = true;
      for (const entry of line) entry.end('stopping', proxyStopping(entry.migration));
    },
    held: (migration) => counts.get(migration) ?? 0,
  };
}
