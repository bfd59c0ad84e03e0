import { NOTHING_KNOWN, type RoutingState } from '@strangler/contracts';
import { routingStateOf } from '../ledger/fold.js';
import type { Ledger } from '../ledger/ledger.js';

const REFRESH_MS = 1_000;

/** The routing state of the ledger, handed to whoever waits for a newer one. */
export class StateFeed {
  readonly #ledger: Ledger;
  readonly #waiting = new Set<() => void>();
  #state: RoutingState | undefined;
  #size = -1;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Looks once, then every second, so that what another control plane writes arrives here too. */
  async run(onError: (error: unknown) => void = () => {}): Promise<void> {
    await this.refresh();
    let running = false;
    this.#timer = setInterval(() => {
      if (running) return;
      running = true;
      void this.refresh()
        .catch(onError)
        .finally(() => (running = false));
    }, REFRESH_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
  }

  /** Reads the ledger when it has grown; answers the state that is true now. */
  async refresh(): Promise<RoutingState> {
    const size = await this.#ledger.size();
    if (this.#state === undefined || size !== this.#size) {
      const state = routingStateOf(await this.#ledger.history());
      this.#size = size;
      // A slower read of an older history must not take a newer state back.
      if (this.#state === undefined || state.version > this.#state.version) {
        this.#state = state;
        for (const wake of this.#waiting) wake();
      }
    }
    return this.#state;
  }

  /** What was true when the ledger was last read. */
  lastKnown(): RoutingState {
    return this.#state ?? NOTHING_KNOWN;
  }

  /** The first state newer than `after`; undefined when `signal` ends the wait. */
  async next(after: number, signal: AbortSignal): Promise<RoutingState | undefined> {
    while ((this.#state?.version ?? 0) <= after && !signal.aborted && !this.#stopped)
      await new Promise<void>((done) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          done();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    return this.#state !== undefined && this.#state.version > after ? this.#state : undefined;
  }
}
