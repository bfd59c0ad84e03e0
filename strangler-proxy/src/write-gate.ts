import {
  epochOf,
  isHeld,
  NOTHING_KNOWN,
  phaseOf,
  type RoutingState,
  type WritesEvidence,
  writesServedBy,
} from '@strangler/contracts';
import { createHold, type Hold, type HeldOutcome, type HoldWish } from './hold.js';
import type { Verdict } from './judge.js';
import type { Route } from './match.js';
import { createWrites, type Write } from './writes.js';

/** Where writes of migrations pass, or are held while they change sides. One for all plans and lanes of a proxy. */
export type WriteGate = {
  /** Lets a write pass; in the turn in which it was judged. */
  pass(route: Route, side: Verdict['decision']['side']): Write;
  hold(wish: HoldWish): ReturnType<Hold['hold']>;
  /**
   * To be called in the turn in which the state is put into force. Resolves when all writes that are held by it are held for certain: those that had passed
   * before have ended, or `drainMs` of their migration is over and what was not sent of them never will be.
   */
  put(state: RoutingState, drainMs: (migration: string) => number): Promise<void>;
  /** A service says that it has heard of a newer epoch. */
  readonly outdated: () => void;
  evidence(migration: string): WritesEvidence;
  /** Refuses what is held. */
  stop(): void;
};

export type WriteGateOptions = {
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  readonly onHeld: (migration: string, outcome: HeldOutcome) => void;
  readonly onOutdated: () => void;
};

type Counts = { released: number; refused: number; left: number };

export function createWriteGate({ sleep, now, onHeld, onOutdated }: WriteGateOptions): WriteGate {
  const writes = createWrites({ sleep });
  const counts = new Map<string, Counts>();
  const countsOf = (migration: string): Counts => {
    const there = counts.get(migration) ?? { released: 0, refused: 0, left: 0 };
    counts.set(migration, there);
    return there;
  };
  const line = createHold({
    sleep,
    onEnded(migration, outcome) {
      countsOf(migration)[outcome === 'released' || outcome === 'left' ? outcome : 'refused']++;
      onHeld(migration, outcome);
    },
  });
  const holds = new Map<string, { epoch: number; readonly since: number; drained: Promise<void> }>();
  const lastMs = new Map<string, number>();
  let before = NOTHING_KNOWN;

  const begin = (migration: string, epoch: number, drainMs: number): Promise<void> => {
    line.keep(migration);
    const there = holds.get(migration);
    // One that was told before; another attempt has to be drained for itself.
    if (there?.epoch === epoch) return there.drained;
    const drained = writes.drain(migration, drainMs);
    holds.set(migration, { epoch, since: there?.since ?? now(), drained });
    return drained;
  };
  const end = (migration: string, state: RoutingState): void => {
    const there = holds.get(migration);
    if (there) lastMs.set(migration, Math.round(now() - there.since));
    holds.delete(migration);
    writes.release(migration, writesServedBy(phaseOf(state, migration)));
    line.release(migration);
  };

  return {
    pass: ({ migration }, side) => writes.begin(migration, side),
    hold: (wish) => line.hold(wish),
    async put(state, drainMs) {
      const names = new Set([...Object.keys(before.migrations), ...Object.keys(state.migrations)]);
      before = state;
      const drained: Promise<void>[] = [];
      for (const name of names)
        if (isHeld(state, name)) drained.push(begin(name, epochOf(state, name), drainMs(name)));
        else end(name, state);
      await Promise.all(drained);
    },
    outdated: onOutdated,
    evidence: (migration) => ({
      held: line.held(migration),
      inFlight: writes.onTheirWay(migration),
      lastHoldMs: lastMs.get(migration) ?? null,
      ...countsOf(migration),
    }),
    stop: () => line.stop(),
  };
}
