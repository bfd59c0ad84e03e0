// Long: the one lifecycle of all cutovers of a control plane, from the lease to the end.

import { setTimeout as delay } from 'node:timers/promises';
import {
  type CutoverState,
  isOver,
  NEXT_CUTOVER_STATES,
  openFenceIn,
  type Phase,
  reasonOf,
  type Side,
  StranglerError,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import { cutoverRunning, leaseHeld, leaseLost } from '../errors.js';
import type { Gate } from '../gates/gate.js';
import { type Cutover, foldLedger, type Standing, UNTOUCHED } from '../ledger/fold.js';
import type { Leases } from '../ledger/leases.js';
import type { NewLedgerEvent } from '../ledger/ledger.js';
import { findMigration } from '../transition/look-up.js';
import { retryOnChange } from '../transition/retry-on-change.js';
import { type Unit, unitOf } from '../transition/unit.js';
import { cutoverRules, longestHoldMs } from './cutover-rules.js';
import { drive } from './pipeline.js';
import { type CutoverWorld, realSteps } from './real-steps.js';

export type CoordinatorOptions = {
  readonly world: CutoverWorld;
  readonly leases: Leases;
  /** Name of this process among those of its kind. */
  readonly owner: string;
  readonly log: Logger;
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

export type Beginning = {
  readonly unit: Unit;
  readonly from: Side;
  readonly to: Side;
  readonly by: string;
  readonly why: string | null;
  readonly gates: readonly Gate[];
};

/** How a cutover ended, and what was done on the way. */
export type Ended = { readonly cutover: Cutover; readonly said: readonly string[] };

const LEASE_MS = 5_000;
const RENEW_MS = 1_000;
const LOOK_MS = 1_000;
const FENCES_MS = 15_000;

/**
 * Carries cutovers on: those it is asked to begin, and those that another coordinator has left undone, as soon as its lease has run out. Whatever it
 * writes, it writes under its lease's token, so one that was thought dead changes nothing any more.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #end = new AbortController();
  readonly #busy = new Set<string>();
  readonly #works = new Set<Promise<unknown>>();
  /** When the fences of a unit whose attempt is over were last looked at. */
  readonly #lookedAt = new Map<string, number>();
  #loop: Promise<void> | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  /** Looks for what was left undone, at once and then every second. */
  run(): void {
    this.#loop = (async () => {
      while (!this.#end.signal.aborted) {
        await this.#continueAll().catch((error: unknown) => {
          this.#options.log.warn({ err: error }, 'cannot look for cutovers that were left undone');
        });
        await this.#sleep(LOOK_MS, this.#end.signal);
      }
    })();
  }

  /** What is under way is left as it is; this coordinator or another goes on with it. */
  async stop(): Promise<void> {
    this.#end.abort(new Error('the control plane ends'));
    await this.#loop;
    await Promise.allSettled(this.#works);
  }

  /** Begins a cutover and carries it to its end. Throws CUTOVER_RUNNING, LEASE_HELD and LEASE_LOST. */
  begin(beginning: Beginning): Promise<Ended> {
    return this.#leased(beginning.unit, async (token, signal) => {
      const { unit, from, to, by, why, gates } = beginning;
      const first = await this.#write(unit, token, (standings) => {
        const before = standings.flatMap(({ cutover }) => cutover ?? []);
        const running = before.find(({ state }) => !isOver(state));
        if (running) throw cutoverRunning(unit.name, running.state, running.by, running.startedAt);
        const epoch = 1 + Math.max(0, ...before.map((each) => each.epoch));
        const note = `to move the writes from ${from} to ${to}`;
        return { epoch, state: 'PREPARING', from, to, note, by, why, gates };
      });
      return this.#drive(unit, first, token, signal);
    });
  }

  async #continueAll(): Promise<void> {
    const { world, log } = this.#options;
    const standings = foldLedger(await world.ledger.history());
    const open = new Map<string, Unit>();
    const settled = new Map<string, Unit>();
    for (const [member, { cutover, phase }] of standings)
      if (cutover && phase !== 'retired' && Object.hasOwn(world.plan.migrations, member)) {
        const unit = unitOf(world.plan, member);
        if (!this.#busy.has(unit.name)) (isOver(cutover.state) ? settled : open).set(unit.name, unit);
      }
    for (const unit of open.values())
      this.#carry(unit, () =>
        this.#leased(unit, async (token, signal) => {
          const cutover = await this.#standing(unit);
          if (!cutover || isOver(cutover.state)) return;
          log.warn(
            { unit: unit.name, epoch: cutover.epoch, state: cutover.state },
            `cutover ${cutover.epoch} of "${unit.name}" was left in "${cutover.state}" and is carried on`,
          );
          await this.#drive(unit, cutover, token, signal);
        }),
      );
    const now = performance.now();
    for (const unit of settled.values()) {
      if (now - (this.#lookedAt.get(unit.name) ?? -FENCES_MS) < FENCES_MS) continue;
      this.#lookedAt.set(unit.name, now);
      this.#carry(unit, () => this.#straighten(unit));
    }
  }

  #carry(unit: Unit, start: () => Promise<void>): void {
    const work = start().catch((error: unknown) => {
      // Another one is at it.
      if (error instanceof StranglerError && error.code === 'LEASE_HELD') return;
      if (this.#end.signal.aborted) return;
      this.#options.log.warn(
        { unit: unit.name },
        `cutover of "${unit.name}" is not carried on yet: ${reasonOf(error)}`,
      );
    });
    this.#works.add(work);
    void work.finally(() => this.#works.delete(work));
  }

  /**
   * Fences stand as the journal says. An order to close that came when its attempt was over would else keep everybody out. The lease is taken only
   * when there is something to do: an operator would be told that it is held.
   */
  async #straighten(unit: Unit): Promise<void> {
    const { world, log } = this.#options;
    const databases = world.databases(unit);
    const shutOut = async () => {
      const cutover = await this.#standing(unit);
      const side = cutover && openFenceIn(cutover.state, cutover.from, cutover.to);
      if (!cutover || !side || !isOver(cutover.state)) return undefined;
      const seen = await databases.look();
      return seen.some((fence) => fence.side === side && fence.closed) ? { cutover, side } : undefined;
    };
    if (!(await shutOut())) return;
    await this.#leased(unit, async (token) => {
      const found = await shutOut();
      if (!found) return;
      const { epoch } = found.cutover;
      const { note } = await databases.open(found.side, { epoch, coordinator: token });
      log.warn(
        { unit: unit.name, epoch },
        `the fence of "${unit.name}" was not as the journal says: ${note}`,
      );
    });
  }

  async #leased<T>(unit: Unit, work: (token: number, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { leases, owner } = this.#options;
    if (this.#busy.has(unit.name)) {
      const running = await this.#standing(unit);
      throw running && !isOver(running.state)
        ? cutoverRunning(unit.name, running.state, running.by, running.startedAt)
        : leaseHeld(unit.name, owner);
    }
    this.#busy.add(unit.name);
    try {
      const taken = await leases.take(unit.name, owner, LEASE_MS);
      if ('holder' in taken) throw leaseHeld(unit.name, taken.holder);
      const lost = new AbortController();
      const ended = new AbortController();
      const signal = AbortSignal.any([lost.signal, this.#end.signal]);
      const renewing = this.#renew(unit, taken.token, lost, AbortSignal.any([signal, ended.signal]));
      try {
        return await work(taken.token, signal);
      } finally {
        ended.abort();
        await renewing;
        // Without this the next one would have to wait until it has run out.
        await leases.release(unit.name, taken.token).catch(() => {});
      }
    } finally {
      this.#busy.delete(unit.name);
    }
  }

  async #renew(unit: Unit, token: number, lost: AbortController, until: AbortSignal): Promise<void> {
    const { leases, log } = this.#options;
    for (;;) {
      await this.#sleep(RENEW_MS, until);
      if (until.aborted) return;
      // A ledger that does not answer says nothing of the lease; whatever is written under an old token is refused.
      const isOurs = await leases.renew(unit.name, token, LEASE_MS).catch(() => true);
      if (isOurs) continue;
      log.warn(`the lease on "${unit.name}" is lost: another coordinator carries on`);
      return lost.abort(new Error('the lease is lost'));
    }
  }

  async #drive(unit: Unit, first: Cutover, token: number, signal: AbortSignal): Promise<Ended> {
    const { world, log, now = Date.now } = this.#options;
    const said: string[] = [];
    const { flag } = findMigration(world.plan, unit.members[0] ?? unit.name);
    const { epoch, from, to } = first;
    const order = { unit, flag, epoch, coordinator: token, from, to };
    const told = { unit: unit.name, epoch };
    const cutover = await drive({
      cutover: first,
      steps: realSteps(order, world),
      write: (state, note) => {
        if (state === 'ABORTING') said.push(`it goes back: ${note}`);
        return this.#write(unit, token, ([standing]) => ({ ...next(standing, epoch, state), state, note }));
      },
      longestHoldMs: longestHoldMs(cutoverRules(world.plan, unit.members)),
      now,
      sleep: (milliseconds) => this.#sleep(milliseconds, signal),
      signal,
      onStep: (note) => {
        said.push(note);
        log.info(told, note);
      },
      onRetry: (state, note) =>
        log.warn({ ...told, state }, `cutover ${epoch} of "${unit.name}" has to go on: ${note}`),
    });
    return { cutover, said };
  }

  /** Writes a row of the journal for each member of the unit, as one; COMMITTED changes their phase with it. */
  async #write(unit: Unit, token: number, rowOf: (standings: readonly Standing[]) => Row): Promise<Cutover> {
    const { world } = this.#options;
    const cutover = await retryOnChange(async () => {
      const history = await world.ledger.history();
      const all = foldLedger(history);
      const standings = unit.members.map((migration) => all.get(migration) ?? UNTOUCHED);
      const row = rowOf(standings);
      const parts = unit.members.map((migration, index) => {
        const standing = standings[index] ?? UNTOUCHED;
        return {
          migration,
          after: standing.sequence,
          events: [eventOf(unit, standing, row, world.plan.revision)],
        };
      });
      const stored = await world.ledger.appendTogether(parts, { unit: unit.name, token });
      return foldLedger([...history, ...stored]).get(unit.members[0] ?? unit.name)?.cutover as Cutover;
    });
    await world.feed.refresh();
    return cutover;
  }

  async #standing(unit: Unit): Promise<Cutover | null> {
    const standings = foldLedger(await this.#options.world.ledger.history());
    return standings.get(unit.members[0] ?? unit.name)?.cutover ?? null;
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { sleep } = this.#options;
    if (sleep) return sleep(milliseconds, signal);
    await delay(milliseconds, undefined, { signal }).catch(() => {});
  }
}

type Row = {
  readonly epoch: number;
  readonly state: CutoverState;
  readonly from: Side;
  readonly to: Side;
  readonly note: string;
  readonly by: string;
  readonly why: string | null;
  readonly gates: readonly Gate[];
};

/** A row follows only on the newest one as it stands in the ledger: an answer that was lost may have been a row that was written. */
function next(
  standing: Standing | undefined,
  epoch: number,
  state: CutoverState,
): Omit<Row, 'state' | 'note'> {
  const cutover = standing?.cutover;
  if (cutover?.epoch !== epoch || !NEXT_CUTOVER_STATES[cutover.state].includes(state))
    throw leaseLost(cutover?.unit ?? '');
  const { from, to, by, why } = cutover;
  return { epoch, from, to, by, why, gates: [] };
}

const NOTE_LENGTH = 4_000;

function eventOf(unit: Unit, standing: Standing, row: Row, planRevision: string): NewLedgerEvent {
  const { epoch, state, from, to, by, why, gates } = row;
  const isCommit = state === 'COMMITTED';
  const phase: Phase = !isCommit ? standing.phase : to === 'service' ? 'extracted' : 'canary';
  return {
    kind: 'cutover',
    from: standing.phase,
    to: phase,
    shareFrom: standing.share,
    shareTo: !isCommit ? standing.share : to === 'legacy' ? 0 : null,
    by,
    why,
    gates,
    verification: null,
    counters: null,
    planRevision,
    cutover: { unit: unit.name, epoch, state, from, to, note: row.note.slice(0, NOTE_LENGTH) },
  };
}
