import type { Side } from '@strangler/contracts';

/**
 * A write of a migration from the moment it was judged, and not held, until its outcome is known. `draining`: writes are held from now on, and it has
 * to end soon. `late`: nobody waits for it any more, so what was not sent yet must not be sent.
 */
export type Write = {
  readonly migration: string;
  readonly stage: 'going' | 'draining' | 'late';
  /** May be called twice. */
  over(): void;
};

export type Writes = {
  /** To be called in the turn in which the routing was read: between the two no state can come in. */
  begin(migration: string, side: Side): Write;
  /** Resolves when none of the writes that are on their way now is any more, or `sleep` is over; the rest is late then. */
  drain(migration: string, milliseconds: number): Promise<void>;
  /** Writes are not held any more: those on their way to the side that has the authority go on, the others are late. */
  release(migration: string, authority: Side): void;
  onTheirWay(migration: string): number;
};

type Mutable = {
  readonly migration: string;
  stage: Write['stage'];
  readonly side: Side;
  over(): void;
};
type Drain = { readonly migration: string; readonly left: Set<Mutable>; readonly done: () => void };

/** The writes on their way, whatever plan or lane carries them. */
export function createWrites({
  sleep,
}: {
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}): Writes {
  const all = new Map<string, Set<Mutable>>();
  const drains = new Set<Drain>();

  return {
    begin(migration, side) {
      const mine = all.get(migration) ?? new Set();
      all.set(migration, mine);
      const write: Mutable = {
        migration,
        stage: 'going',
        side,
        over() {
          if (!mine.delete(write) || drains.size === 0) return;
          for (const { left, done } of drains) if (left.delete(write) && left.size === 0) done();
        },
      };
      mine.add(write);
      return write;
    },
    async drain(migration, milliseconds) {
      const left = new Set(all.get(migration));
      if (left.size === 0) return;
      for (const write of left) if (write.stage === 'going') write.stage = 'draining';
      const over = new AbortController();
      let drain: Drain | undefined;
      const drained = new Promise<false>((end) => {
        drain = { migration, left, done: () => end(false) };
        drains.add(drain);
      });
      const isOver = await Promise.race([drained, sleep(milliseconds, over.signal).then(() => true)]);
      over.abort();
      if (drain) drains.delete(drain);
      if (isOver) for (const write of left) write.stage = 'late';
    },
    release(migration, authority) {
      for (const drain of drains) if (drain.migration === migration) drain.done();
      for (const write of all.get(migration) ?? []) write.stage = write.side === authority ? 'going' : 'late';
    },
    onTheirWay: (migration) => all.get(migration)?.size ?? 0,
  };
}
