import { flagOf, type Migration, type Phase, type Plan, type Verification } from '@strangler/contracts';
import { forceNeedsReason, gateUnmet, migrationUnknown, noData } from '../errors.js';
import type { Evidence } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import { gatesOf } from '../gates/gate-table.js';
import { countersOf } from '../gates/gates.js';
import { foldLedger, type Standing, UNTOUCHED } from '../ledger/fold.js';
import type { Counters, LedgerKind, NewLedgerEvent } from '../ledger/ledger.js';
import { change, settle } from './carry-out.js';
import { dryRunSteps } from './dry-run-steps.js';
import {
  consequenceOf,
  decideAdvance,
  decideRollback,
  endOf,
  type Move,
  placeText,
  type Position,
  startOf,
} from './move.js';
import { realSteps, type World } from './real-steps.js';
import { retryOnChange } from './retry-on-change.js';
import { serially } from './serially.js';

export type Control = World & {
  readonly plan: Plan;
  /** Runs a verification of the copy; may take long. */
  readonly verify: (migration: string) => Promise<Verification>;
};

export type AdvanceWish = {
  readonly to?: Phase;
  readonly share?: number;
  readonly by: string;
  readonly why?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
};
export type RollbackWish = Omit<AdvanceWish, 'share' | 'force'>;

/** What an advance or a rollback did, or would do. */
export type Moved = {
  readonly ok: true;
  readonly migration: string;
  readonly from: Phase;
  readonly to: Phase;
  readonly shareFrom: number | null;
  readonly shareTo: number | null;
  /** What it means for clients and data, one sentence. */
  readonly consequence: string;
  readonly forced: boolean;
  readonly dryRun: boolean;
  readonly gates: readonly Gate[];
  /** What was done, or would be, in order. */
  readonly steps: readonly string[];
};

type Known = {
  readonly name: string;
  readonly migration: Migration;
  readonly flag: string;
  readonly standing: Standing;
  /** What the flag says; null when it cannot be told. */
  readonly share: number | null;
  readonly position: Position;
};

export async function lookUp(control: Control, name: string): Promise<Known> {
  const { plan, ledger, flags } = control;
  const migration = Object.hasOwn(plan.migrations, name) ? plan.migrations[name] : undefined;
  if (!migration) throw migrationUnknown(name, Object.keys(plan.migrations));
  const flag = migration.flag ?? flagOf(name);
  const [history, share] = await Promise.all([ledger.history(), flags.share(flag)]);
  const standing = foldLedger(history).get(name) ?? UNTOUCHED;
  const position = { phase: standing.phase, share: share ?? standing.share ?? 0 };
  return { name, migration, flag, standing, share, position };
}

/** One phase or one share forward, if its gates are met. */
export async function advance(control: Control, name: string, wish: AdvanceWish): Promise<Moved> {
  if (wish.force && !wish.why?.trim()) throw forceNeedsReason(name);
  const known = await lookUp(control, name);
  const move = decideAdvance(name, known.migration, known.position, wish);
  const evidence = await control.evidence.gather();
  const gates = gatesFor(control, known, move, evidence);
  const unmet = gates.some(({ met }) => !met);
  const forced = unmet && wish.force === true;
  const counters = countersNow(evidence, name);
  if (unmet && !forced) {
    if (!wish.dryRun)
      await note(control, name, ({ phase }) => [
        {
          ...eventsOf(control, move, 'refused', wish, gates)[0],
          from: phase,
          counters: null,
        } as NewLedgerEvent,
      ]);
    throw gateUnmet(name, placeText(endOf(move), move.shareTo), gates);
  }
  const kind = forced ? 'forced' : move.direction === 'forward' ? 'advanced' : 'share-changed';
  const events = eventsOf(control, move, kind, wish, gates).map((event) => ({ ...event, counters }));
  return perform(control, known, move, events, wish, { gates, forced });
}

/** Back, as far as asked. A rollback that another change got ahead of is decided anew: the way back must not be lost. */
export function rollback(control: Control, name: string, wish: RollbackWish): Promise<Moved> {
  return retryOnChange(async () => {
    const known = await lookUp(control, name);
    const move = decideRollback(name, known.position, wish.to);
    const events = eventsOf(control, move, 'rolled-back', wish, []);
    return perform(control, known, move, events, wish, { gates: [], forced: false });
  });
}

/** Verifies the copy and writes the result to the ledger, clean or not. */
export async function verify(control: Control, name: string, by: string): Promise<Verification> {
  const known = await lookUp(control, name);
  if (known.migration.data === undefined) throw noData(name);
  const verification = await control.verify(name);
  const { tables: _, ...summary } = verification;
  await note(control, name, ({ phase, share }) => [
    {
      kind: 'verified',
      from: phase,
      to: phase,
      shareFrom: share,
      shareTo: share,
      by,
      why: null,
      gates: [],
      verification: summary,
      counters: null,
      planRevision: control.plan.revision,
    },
  ]);
  return verification;
}

export function gatesFor(control: Control, known: Known, move: Move, evidence: Evidence): readonly Gate[] {
  if (move.direction === 'share-down' || move.direction === 'backward') return [];
  const { name, migration, standing, share } = known;
  const context = { name, migration, planRevision: control.plan.revision, standing, share, evidence };
  return gatesOf(startOf(move), endOf(move), context);
}

async function perform(
  control: Control,
  known: Known,
  move: Move,
  events: readonly NewLedgerEvent[],
  wish: { readonly dryRun?: boolean },
  outcome: { readonly gates: readonly Gate[]; readonly forced: boolean },
): Promise<Moved> {
  const { name, flag, standing } = known;
  const steps = wish.dryRun ? dryRunSteps(name) : realSteps(name, standing.sequence, control);
  const changed = await serially(control.ledger, () => change(move, flag, events, steps));
  const settled = await settle(move, steps);
  return {
    ok: true,
    migration: name,
    from: startOf(move),
    to: endOf(move),
    shareFrom: move.shareFrom,
    shareTo: move.shareTo,
    consequence: consequenceOf(move),
    dryRun: wish.dryRun ?? false,
    ...outcome,
    steps: [...changed, ...settled],
  };
}

/** One event for each phase a move goes through. */
function eventsOf(
  control: Control,
  move: Move,
  kind: LedgerKind,
  wish: { readonly by: string; readonly why?: string },
  gates: readonly Gate[],
): readonly NewLedgerEvent[] {
  const hops =
    move.path.length === 1
      ? [[move.path[0], move.path[0]] as const]
      : move.path.slice(1).map((to, index) => [move.path[index], to] as const);
  return hops.map(([from, to], index) => ({
    kind,
    from: from as Phase,
    to: to as Phase,
    shareFrom: index === 0 ? move.shareFrom : null,
    shareTo: index === hops.length - 1 ? move.shareTo : null,
    by: wish.by,
    why: wish.why ?? null,
    gates,
    verification: null,
    counters: null,
    planRevision: control.plan.revision,
  }));
}

/** What the service had answered when the move was decided: later failures are counted from here. */
function countersNow({ proxy }: Evidence, name: string): Counters | null {
  const traffic = proxy.ok ? proxy.evidence.migrations[name] : undefined;
  if (!proxy.ok || !traffic) return null;
  const { instance, startedAt } = proxy.evidence;
  return { instance, startedAt, ...countersOf(traffic) };
}

/** An event that changes nothing goes behind whatever is last now. */
async function note(
  control: Control,
  name: string,
  eventsAt: (standing: Standing) => readonly NewLedgerEvent[],
): Promise<void> {
  await retryOnChange(async () => {
    const standing = foldLedger(await control.ledger.history()).get(name) ?? UNTOUCHED;
    await control.ledger.append(name, standing.sequence, eventsAt(standing));
  });
}
