import type { KnownProxy } from '../evidence/hear-proxies.js';

/** One that asks for routing states. Asking for what comes after N says that N is in force there. */
export type Subscriber = {
  readonly name: string;
  readonly acknowledged: number;
  readonly lastSeenAt: string;
};

/** A proxy that fell silent without a farewell. */
export type LostProxy = { readonly name: string; readonly at: string };

/** Longer than a long poll and the time a state takes to be put in force. */
const LIVE_MS = 60_000;
/** How long a loss is told. */
const TOLD_MS = 3_600_000;
const MOST_LOST = 20;

type Entry = {
  readonly acknowledged: number;
  readonly lastSeen: number;
  readonly admin: string | undefined;
  /** It hung up while it waited: it comes back by itself, or it is dead. */
  hungUp: boolean;
};

/**
 * Who listens to the control plane now, what each has in force, and where the proxies among them show their evidence. A proxy that hung
 * up without a farewell may well be serving: it stays one that must answer until it has been silent for a minute.
 */
export class Subscribers {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: () => number;
  readonly #waiting = new Set<() => void>();
  #lost: LostProxy[] = [];
  #lostAt: string | null = null;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /** `admin`: base URL of its evidence, if it has any. */
  seen(name: string, acknowledged: number, admin?: string): void {
    this.#prune();
    this.#entries.set(name, { acknowledged, lastSeen: this.#clock(), admin, hungUp: false });
    this.#lost = this.#lost.filter((one) => one.name !== name);
    this.#wake();
  }

  /** It hung up while it waited. */
  gone(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.admin === undefined) this.#entries.delete(name);
    else entry.hungUp = true;
    this.#wake();
  }

  /** It said farewell: it has ended, and what it had counted has ended with it. */
  left(name: string): void {
    if (this.#entries.get(name)?.admin !== undefined) this.#lostAt = this.#now();
    this.#entries.delete(name);
    this.#wake();
  }

  live(): readonly Subscriber[] {
    this.#prune();
    return [...this.#entries]
      .filter(([, { hungUp }]) => !hungUp)
      .map(([name, entry]) => ({
        name,
        acknowledged: entry.acknowledged,
        lastSeenAt: new Date(entry.lastSeen).toISOString(),
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** The proxies whose evidence counts; each of them has to answer. */
  proxies(): readonly KnownProxy[] {
    this.#prune();
    return [...this.#entries].flatMap(([name, { admin }]) =>
      admin === undefined ? [] : [{ name, url: admin }],
    );
  }

  /** Proxies that have been silent for a minute and never said farewell. They may still serve clients. */
  lost(): readonly LostProxy[] {
    this.#prune();
    return this.#lost;
  }

  /** When a proxy last ended or was lost: what it had counted is not there any more. */
  lostAt(): string | null {
    this.#prune();
    return this.#lostAt;
  }

  #now(): string {
    return new Date(this.#clock()).toISOString();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #prune(): void {
    const now = this.#clock();
    this.#lost = this.#lost.filter(({ at }) => Date.parse(at) > now - TOLD_MS);
    for (const [name, { lastSeen, admin }] of this.#entries) {
      if (lastSeen >= now - LIVE_MS) continue;
      this.#entries.delete(name);
      if (admin === undefined) continue;
      this.#lostAt = this.#now();
      this.#lost = [...this.#lost, { name, at: new Date(lastSeen).toISOString() }].slice(-MOST_LOST);
    }
  }

  /** Resolves when all live ones have the version, or after `timeoutMs`; answers with those that have not. */
  acknowledgement(version: number, timeoutMs: number): Promise<readonly string[]> {
    return this.#without(timeoutMs, () =>
      this.live()
        .filter(({ acknowledged }) => acknowledged < version)
        .map(({ name }) => name),
    );
  }

  /** The same of the proxies alone. Of one that hung up nothing can be had; when it still serves clients, its writes meet a fence. */
  proxiesWithout(version: number, timeoutMs: number): Promise<readonly string[]> {
    return this.#without(timeoutMs, () => {
      this.#prune();
      return [...this.#entries]
        .filter(
          ([, { admin, acknowledged, hungUp }]) => admin !== undefined && !hungUp && acknowledged < version,
        )
        .map(([name]) => name);
    });
  }

  async #without(timeoutMs: number, missing: () => readonly string[]): Promise<readonly string[]> {
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
