import { reasonOf } from '@strangler/contracts';
import { retireGates } from '../cutover/retire-gates.js';
import { forceNeedsReason, gateUnmet, wrongPhaseToRetire } from '../errors.js';
import { foldLedger } from '../ledger/fold.js';
import type { NewLedgerEvent } from '../ledger/ledger.js';
import type { Control, CutoverWish, Moved } from './control.js';
import { assertNotRunning, contextsOf } from './cut-over.js';
import { noteRefusal } from './events.js';
import { lookUp } from './look-up.js';
import { assertTogether } from './move-unit.js';
import { realSteps } from './real-steps.js';
import { findUnit, type Unit } from './unit.js';

export type Retired = Moved & {
  /** What of legacy and of the plan may go now; nobody does that but people. */
  readonly checklist: readonly string[];
};

/** Ends a migration for good: legacy is no longer kept up to date, and there is no way back. */
export async function retire(control: Control, name: string, wish: CutoverWish): Promise<Retired> {
  if (wish.force && !wish.why?.trim()) throw forceNeedsReason(name);
  const { plan, ledger } = control;
  const unit = findUnit(plan, name, 'retire');
  const knowns = await Promise.all(unit.members.map((member) => lookUp(control, member)));
  assertNotRunning(unit, knowns);
  assertTogether(unit, knowns);
  const phase = knowns[0]?.standing.phase ?? 'legacy';
  if (phase !== 'extracted') throw wrongPhaseToRetire(name, phase);
  const [evidence, history] = await Promise.all([control.evidence.gather(), ledger.history()]);
  const standings = foldLedger(history);
  const gates = retireGates(
    unit,
    plan,
    contextsOf(control, knowns, evidence),
    (other) => standings.get(other)?.phase === 'retired',
  );
  const unmet = gates.some(({ met }) => !met);
  const event = (kind: NewLedgerEvent['kind']): NewLedgerEvent => ({
    kind,
    from: 'extracted',
    to: 'retired',
    shareFrom: null,
    shareTo: null,
    by: wish.by,
    why: wish.why ?? null,
    gates,
    verification: null,
    counters: null,
    planRevision: plan.revision,
  });
  if (unmet && !wish.force) {
    if (!wish.dryRun) for (const known of knowns) await noteRefusal(control, known.name, [event('refused')]);
    throw gateUnmet(name, '"retired"', gates);
  }
  const flags = [...new Set(knowns.map(({ flag }) => flag))];
  const steps: string[] = wish.dryRun
    ? [
        `would write to the ledger that ${unit.members.map((each) => `"${each}"`).join(', ')} is retired`,
        'would stop the stream back to legacy',
        'would remove the fences of both sides',
        ...flags.map((flag) => `would take flag "${flag}" away`),
      ]
    : [];
  if (!wish.dryRun) {
    const real = realSteps(unit.members, control);
    const kind = unmet ? 'forced' : 'advanced';
    const parts = knowns.map((known) => ({
      migration: known.name,
      after: known.standing.sequence,
      events: [event(kind)],
    }));
    steps.push(await real.append(parts), await real.awaitSubscribers());
    // What is left when this fails is in the way of nobody: it is told, and can be taken away by hand.
    steps.push(
      (
        await control
          .databases(unit)
          .remove()
          .catch((error: unknown) => ({
            note: `could not remove the fences (${reasonOf(error)}): use "strangler fence remove ${unit.name}"`,
          }))
      ).note,
    );
    for (const flag of flags)
      steps.push(
        (await control.flags.remove(flag).catch(() => false))
          ? `took flag "${flag}" away`
          : `flag "${flag}" is no longer read: take it away where flags are set`,
      );
  }
  return {
    ok: true,
    migration: unit.name,
    members: unit.members,
    from: 'extracted',
    to: 'retired',
    shareFrom: null,
    shareTo: null,
    consequence: 'for good: legacy is no longer kept up to date, and there is no way back',
    forced: unmet,
    dryRun: wish.dryRun ?? false,
    gates,
    steps,
    checklist: checklistOf(control, unit),
  };
}

function checklistOf({ plan }: Control, unit: Unit): readonly string[] {
  return unit.members.flatMap((member) => {
    const migration = plan.migrations[member];
    if (!migration) return [];
    const tables = new Set(
      (migration.data?.tables ?? []).flatMap(({ from, parts, lists }) => [
        from,
        ...(parts ?? []).map((part) => part.from),
        ...Object.values(lists ?? {}).map((list) => list.from),
      ]),
    );
    return [
      `code of legacy behind ${migration.routes.map(({ match }) => `"${match.text}"`).join(', ')}`,
      ...[...tables].map((table) => `table "${table}" of database "${migration.data?.from ?? ''}"`),
      `in the plan of "${member}": canary, compare, gates and data`,
    ];
  });
}
