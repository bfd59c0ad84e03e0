import type { Offset, SourceTransaction } from '@strangler/contracts';

/** The flow as it stands: the target has everything up to a place of the log, and nothing behind it. */
export type Stand = {
  readonly offset: Offset;
  /** Lets the flow go on. False: it had gone on by itself, because this took too long. */
  goOn(): boolean;
};

/** The part of a batch that is applied together, and where the flow has to stand behind it. */
export type Part = {
  readonly transactions: readonly SourceTransaction[];
  readonly stand?: () => Promise<void>;
};

export type Stands = {
  /** Resolves when the flow stands behind the transaction with the token. Rejects when `signal` is aborted. */
  standAt(token: string, signal: AbortSignal): Promise<Stand>;
  /** A batch, cut behind the transaction that is waited for. */
  cut(transactions: readonly SourceTransaction[]): readonly Part[];
};

/** Nothing may hold a flow for longer: whoever asked may have died. */
const LONGEST_MS = 10_000;

/** Lets a flow stand still at a place of the log for a moment. One at a time. */
export function createStands(
  tokenOf: (transaction: SourceTransaction) => string | undefined,
  longestMs = LONGEST_MS,
): Stands {
  let wanted: { readonly token: string; readonly done: (stand: Stand) => void } | undefined;

  function standing(offset: Offset, done: (stand: Stand) => void): Promise<void> {
    return new Promise((released) => {
      let isStanding = true;
      const goOn = () => {
        const wasStanding = isStanding;
        isStanding = false;
        clearTimeout(timer);
        released();
        return wasStanding;
      };
      const timer = setTimeout(goOn, longestMs);
      done({ offset, goOn });
    });
  }

  return {
    standAt: (token, signal) =>
      new Promise((done, fail) => {
        signal.throwIfAborted();
        const place = { token, done };
        wanted = place;
        const giveUp = () => {
          if (wanted === place) wanted = undefined;
          fail(signal.reason as Error);
        };
        signal.addEventListener('abort', giveUp, { once: true });
      }),
    cut(transactions) {
      const place = wanted;
      if (!place) return [{ transactions }];
      const at = transactions.findIndex((transaction) => tokenOf(transaction) === place.token);
      const last = transactions[at];
      if (!last) return [{ transactions }];
      wanted = undefined;
      const rest = transactions.slice(at + 1);
      return [
        { transactions: transactions.slice(0, at + 1), stand: () => standing(last.next, place.done) },
        ...(rest.length > 0 ? [{ transactions: rest }] : []),
      ];
    },
  };
}
