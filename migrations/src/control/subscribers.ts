/** One that asks for routing states. Asking for what comes after N says that N is in force there. */
export type Subscriber = {
  readonly name: string;
  readonly acknowledged: number;
  readonly lastSeenAt: string;
};

/** Longer than a long poll and the time a state takes to be put in force. */
const LIVE_MS = 60_000;

type Entry = { acknowledged: number; lastSeen: number };

/** Who listens to the control plane now, and what each has in force. */
export class Subscribers {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: () => number;
  readonly #waiting = new Set<() => void>();

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  seen(name: string, acknowledged: number): void {
    this.#prune();
    this.#entries.set(name, { acknowledged, lastSeen: this.#clock() });
    for (const wake of this.#waiting) wake();
  }

  /** It hung up while it waited: it has ended, or it comes back by itself. */
  gone(name: string): void {
    this.#entries.delete(name);
    for (const wake of this.#waiting) wake();
  }

  live(): readonly Subscriber[] {
    this.#prune();
    return [...this.#entries]
      .map(([name, entry]) => ({
        name,
        acknowledged: entry.acknowledged,
        lastSeenAt: new Date(entry.lastSeen).toISOString(),
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name));
  }

  #prune(): void {
    const oldest = this.#clock() - LIVE_MS;
    for (const [name, entry] of this.#entries) if (entry.lastSeen < oldest) this.#entries.delete(name);
  }

  /** Resolves when all live ones have the version, or after `timeoutMs`; answers with those that have not. */
  async acknowledgement(version: number, timeoutMs: number): Promise<readonly string[]> {
    const missing = () =>
      this.live()
        .filter(({ acknowledged }) => acknowledged < version)
        .map(({ name }) => name);
    const deadline = AbortSignal.timeout(timeoutMs);
    while (missing().length > 0 && !deadline.aborted)
      await new Promise<void>((done) => {
        const wake = () => {
          this.#waiting.delete(wake);
          deadline.removeEventListener('abort', wake);
          done();
        };
        this.#waiting.add(wake);
        deadline.addEventListener('abort', wake);
      });
    return missing();
  }
}
