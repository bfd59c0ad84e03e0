import { phaseOf, StranglerError, type Verification } from '@strangler/contracts';
import { forceNeedsReason, gateUnmet, noData, onlyFlagTurnedOff } from '../errors.js';
import type { Evidence } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import { gatesOf } from '../gates/gate-table.js';
import type { NewLedgerEvent } from '../ledger/ledger.js';
import { serially } from '../serially.js';
import { change, settle } from './carry-out.js';
import type { AdvanceWish, Control, Moved, RollbackWish } from './control.js';
import { dryRunSteps } from './dry-run-steps.js';
import { countersNow, eventsOf, note, noteRefusal } from './events.js';
import { findMigration, type Known, lookUp, positionOf, standingOf } from './look-up.js';
import {
  consequenceOf,
  decideAdvance,
  decideRollback,
  endOf,
  type Move,
  placeText,
  startOf,
} from './move.js';
import { realSteps } from './real-steps.js';
import { retryOnChange } from './retry-on-change.js';

/** One phase or one share forward, if its gates are met. */
export async function advance(control: Control, name: string, wish: AdvanceWish): Promise<Moved> {
  if (wish.force && !wish.why?.trim()) throw forceNeedsReason(name);
  const known = await lookUp(control, name);
  const move = decideAdvance(name, known.migration, positionOf(known), wish);
  if (move.shareTo !== null) await control.flags.maySet(known.flag, move.shareTo);
  const evidence = await control.evidence.gather();
  const gates = gatesFor(control, known, move, evidence);
  const unmet = gates.some(({ met }) => !met);
  const forced = unmet && wish.force === true;
  const counters = countersNow(evidence, name);
  if (unmet && !forced) {
    if (!wish.dryRun) await noteRefusal(control, name, eventsOf(control, move, 'refused', wish, gates));
    throw gateUnmet(name, placeText(endOf(move), move.shareTo), gates);
  }
  const kind = forced ? 'forced' : move.direction === 'forward' ? 'advanced' : 'share-changed';
  const events = eventsOf(control, move, kind, wish, gates).map((event) => ({ ...event, counters }));
  return perform(control, known, move, events, wish, { gates, forced });
}

/**
 * Back, as far as asked. The way back must not be lost: a rollback that another change got ahead of is decided anew, and
 * with the ledger out of reach the flag alone brings the clients of a canary back.
 */
export async function rollback(control: Control, name: string, wish: RollbackWish): Promise<Moved> {
  const { migration, flag } = findMigration(control.plan, name);
  try {
    return await retryOnChange(async () => {
      const known = { ...(await standingOf(control, name)), share: null, name, migration, flag };
      const share = (await control.flags.share(flag).catch(() => null)) ?? known.standing.share ?? 0;
      const move = decideRollback(name, { phase: known.standing.phase, share }, wish.to);
      const events = eventsOf(control, move, 'rolled-back', wish, []);
      return perform(control, known, move, events, wish, { gates: [], forced: false });
    });
  } catch (error) {
    const isLedger = error instanceof StranglerError && error.code === 'LEDGER_FAILED';
    const lastKnown = phaseOf(control.feed.lastKnown(), name);
    if (!isLedger || wish.dryRun || lastKnown !== 'canary') throw error;
    await control.flags.setShare(flag, 0);
    throw onlyFlagTurnedOff(name, flag, error);
  }
}

/** Verifies the copy and writes the result to the ledger, clean or not. */
export async function verify(control: Control, name: string, by: string): Promise<Verification> {
  if (findMigration(control.plan, name).migration.data === undefined) throw noData(name);
  const verification = await control.verify(name);
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

function gatesFor(control: Control, known: Known, move: Move, evidence: Evidence): readonly Gate[] {
  if (move.direction === 'share-down' || move.direction === 'backward') return [];
  const { name, migration, standing, share } = known;
  const context = { name, migration, planRevision: control.plan.revision, standing, share, evidence };
  return gatesOf(startOf(move), endOf(move), context);
}
