import type { Phase, Plan } from '@strangler/contracts';
import { groupApart } from '../errors.js';
import type { Evidence } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import { gatesOf } from '../gates/gate-table.js';
import { type Known, positionOf } from './look-up.js';
import { decideAdvance, decideRollback, endOf, type Move, startOf } from './move.js';
import { gatesIn, lowestOf, type Unit } from './unit.js';

/** What becomes of one migration when its unit moves, and the gates that guard it. */
export type Part = { readonly known: Known; readonly move: Move; readonly gates: readonly Gate[] };

/**
 * The step of a whole unit: all its migrations stand alike, so one decision is that of all, and the gates of all guard it.
 * Throws the sentence that says why there is none, GROUP_APART first of all.
 */
export function decideUnitAdvance(
  unit: Unit,
  knowns: readonly Known[],
  plan: Pick<Plan, 'revision'>,
  /** Null: no gate is asked, only whether there is a step. */
  evidence: Evidence | null,
  wish: Parameters<typeof decideAdvance>[3],
): readonly Part[] {
  const [first] = knowns as readonly [Known];
  assertTogether(unit, knowns);
  const move = decideAdvance(unit.name, first.migration, positionOf(first), wish);
  const isGuarded = move.direction === 'forward' || move.direction === 'share-up';
  return knowns.map((known) => {
    const { name, migration, standing, share } = known;
    const about = { name, migration, planRevision: plan.revision, standing, share };
    const gates = isGuarded && evidence ? gatesOf(startOf(move), endOf(move), { ...about, evidence }) : [];
    return { known, move, gates: gatesIn(unit, name, gates) };
  });
}

/** Throws GROUP_APART. Migrations that were put into a group while they stood apart can only go back together. */
export function assertTogether(unit: Unit, knowns: readonly Pick<Known, 'name' | 'standing'>[]): void {
  const phases = knowns.map(({ standing }) => standing.phase);
  if (new Set(phases).size > 1)
    throw groupApart(
      unit.name,
      knowns.map(({ name, standing }) => `"${name}" in "${standing.phase}"`),
      lowestOf(phases),
    );
}

/** The way back of a whole unit, down to the same phase for all; of migrations that stand apart, those go back that are further. */
export function decideUnitRollback(unit: Unit, knowns: readonly Known[], to?: Phase): readonly Part[] {
  const phases = knowns.map(({ standing }) => standing.phase);
  const isApart = new Set(phases).size > 1;
  const target = to ?? (isApart ? lowestOf(phases) : undefined);
  return knowns
    .filter(({ standing }) => !isApart || standing.phase !== target)
    .map((known) => ({
      known,
      move: decideRollback(isApart ? known.name : unit.name, positionOf(known), target),
      gates: [],
    }));
}
