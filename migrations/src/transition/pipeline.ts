import { phaseOf, StranglerError, type Verification } from '@strangler/contracts';
import { forceNeedsReason, gateUnmet, noData, onlyFlagTurnedOff } from '../errors.js';
import type { Gate } from '../gates/gate.js';
import type { NewLedgerEvent } from '../ledger/ledger.js';
import { serially } from '../serially.js';
import { change, settle } from './carry-out.js';
import { assertNotRunning, takeBack } from './cut-over.js';
import type { AdvanceWish, Control, Moved, RollbackWish, VerifyWish } from './control.js';
import { dryRunSteps } from './dry-run-steps.js';
import { countersNow, eventsOf, note, noteRefusal } from './events.js';
import { findMigration, lookUp, standingOf } from './look-up.js';
import { consequenceOf, endOf, placeText, startOf } from './move.js';
import { decideUnitAdvance, decideUnitRollback, type Part } from './move-unit.js';
import { realSteps } from './real-steps.js';
import { retryOnChange } from './retry-on-change.js';
import { findUnit, type Unit } from './unit.js';

/** One phase or one share forward, if its gates are met; a group goes as one, by the gates of all its migrations. */
export async function advance(control: Control, name: string, wish: AdvanceWish): Promise<Moved> {
  if (wish.force && !wish.why?.trim()) throw forceNeedsReason(name);
  const unit = findUnit(control.plan, name, 'advance');
  const knowns = await Promise.all(unit.members.map((member) => lookUp(control, member)));
  assertNotRunning(unit, knowns);
  // Refused before anything is asked that takes time.
  const wished = decideUnitAdvance(unit, knowns, control.plan, null, wish);
  const [{ known, move }] = wished as readonly [Part];
  if (move.shareTo !== null) await control.flags.maySet(known.flag, move.shareTo);
  const evidence = await control.evidence.gather();
  const parts = decideUnitAdvance(unit, knowns, control.plan, evidence, wish);
  const gates = parts.flatMap((part) => part.gates);
  const unmet = gates.some(({ met }) => !met);
  const forced = unmet && wish.force === true;
  if (unmet && !forced) {
    if (!wish.dryRun)
      for (const part of parts)
        await noteRefusal(
          control,
          part.known.name,
          eventsOf(control, part.move, 'refused', wish, part.gates),
        );
    throw gateUnmet(name, placeText(endOf(move), move.shareTo), gates);
  }
  const kind = forced ? 'forced' : move.direction === 'forward' ? 'advanced' : 'share-changed';
  const written = parts.map((part) => ({
    ...part,
    events: eventsOf(control, move, kind, wish, part.gates).map((event) => ({
      ...event,
      counters: countersNow(evidence, part.known.name),
    })),
  }));
  return perform(control, unit, written, wish, { gates, forced });
}

/**
 * Back, as far as asked: one that is extracted takes its writes back first. The way back must not be lost: a rollback that another change got ahead of is decided anew, and
 * with the ledger out of reach the flag alone brings the clients of a canary back.
 */
export async function rollback(control: Control, name: string, wish: RollbackWish): Promise<Moved> {
  const unit = findUnit(control.plan, name, 'rollback');
  const { flag } = findMigration(control.plan, unit.members[0] ?? name);
  const [first = name] = unit.members;
  // Without the ledger nothing is known but what was last: the flag alone helps then, below.
  const before = await standingOf(control, first).catch(() => null);
  if (before?.standing.phase === 'extracted') {
    const { by, why, dryRun, force } = wish;
    const taken = await takeBack(control, name, {
      by,
      ...(why === undefined ? {} : { why }),
      ...(dryRun === undefined ? {} : { dryRun }),
      ...(force === undefined ? {} : { force }),
    });
    if (wish.to === undefined || wish.to === 'canary' || dryRun) return taken;
    const further = await rollback(control, name, wish);
    return {
      ...further,
      from: taken.from,
      consequence: taken.consequence,
      steps: [...taken.steps, ...further.steps],
    };
  }
  try {
    return await retryOnChange(async () => {
      const share = await control.flags.share(flag).catch(() => null);
      const knowns = await Promise.all(
        unit.members.map(async (member) => {
          const { migration } = findMigration(control.plan, member);
          return { ...(await standingOf(control, member)), share, name: member, migration, flag };
        }),
      );
      assertNotRunning(unit, knowns);
      const parts = decideUnitRollback(unit, knowns, wish.to).map((part) => ({
        ...part,
        events: eventsOf(control, part.move, 'rolled-back', wish, []),
      }));
      return perform(control, unit, parts, wish, { gates: [], forced: false });
    });
  } catch (error) {
    const isLedger = error instanceof StranglerError && error.code === 'LEDGER_FAILED';
    const state = control.feed.lastKnown();
    const isCanary = unit.members.some((member) => phaseOf(state, member) === 'canary');
    if (!isLedger || wish.dryRun || !isCanary) throw error;
    await control.flags.setShare(flag, 0);
    throw onlyFlagTurnedOff(name, flag, error);
  }
}

/** Verifies the copy and writes the result to the ledger, clean or not. */
export async function verify(
  control: Control,
  name: string,
  by: string,
  wish: VerifyWish = {},
): Promise<Verification> {
  if (findMigration(control.plan, name).migration.data === undefined) throw noData(name);
  const verification = await control.verify(name, wish);
  const { tables: _tables, ...summary } = verification;
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

type Written = Part & { readonly events: readonly NewLedgerEvent[] };

async function perform(
  control: Control,
  unit: Unit,
  parts: readonly Written[],
  wish: { readonly dryRun?: boolean },
  outcome: { readonly gates: readonly Gate[]; readonly forced: boolean },
): Promise<Moved> {
  // Of migrations that go back from different phases, the longest way says what has to be done.
  const [{ known, move }] = parts.toSorted((a, b) => b.move.path.length - a.move.path.length) as [Written];
  const members = parts.map((part) => part.known.name);
  const steps = wish.dryRun ? dryRunSteps : realSteps(members, control);
  const entries = parts.map((part) => ({
    migration: part.known.name,
    after: part.known.standing.sequence,
    events: part.events,
  }));
  const changed = await serially(control.ledger, () => change(move, known.flag, entries, steps));
  const settled = await settle(move, steps);
  return {
    ok: true,
    migration: unit.name,
    members,
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
