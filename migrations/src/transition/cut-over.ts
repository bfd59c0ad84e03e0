import { isOver, otherSide, type Phase, type Side } from '@strangler/contracts';
import { carryOut, WAYS } from '../cutover/advance-state.js';
import { cutoverRules } from '../cutover/cutover-rules.js';
import { dryRunSteps } from '../cutover/dry-run-steps.js';
import { canBeForced, type CutoverFacts, cutoverGates } from '../cutover/gates.js';
import { streamFrom } from '../cutover/real-steps.js';
import {
  cutoverAborted,
  cutoverRunning,
  forceNeedsReason,
  gateUnmet,
  groupWithoutData,
  isRetired,
  wrongPhaseForCutover,
} from '../errors.js';
import type { Evidence } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import type { NewLedgerEvent } from '../ledger/ledger.js';
import type { Control, CutoverWish, Moved } from './control.js';
import { noteRefusal } from './events.js';
import { type Known, lookUp } from './look-up.js';
import { assertTogether } from './move-unit.js';
import { findUnit, type Unit } from './unit.js';

const CONSEQUENCES: Readonly<Record<Side, string>> = {
  service: 'routing and data: reads and writes go to the service, and what is written there flows to legacy',
  legacy:
    'routing and data: reads and writes go back to legacy, which has everything that was written to the service',
};

/** Moves the writes of a unit to the service, under its gates; throws CUTOVER_ABORTED when it had to go back. */
export async function cutOver(control: Control, name: string, wish: CutoverWish): Promise<Moved> {
  const { unit, knowns } = await unitIn(control, name, 'cutover', 'canary');
  return changeSides(control, unit, knowns, 'service', wish);
}

/** Takes the writes of a unit back to legacy, with everything that was written meanwhile. */
export async function takeBack(control: Control, name: string, wish: CutoverWish): Promise<Moved> {
  const { unit, knowns } = await unitIn(control, name, 'rollback', 'extracted');
  return changeSides(control, unit, knowns, 'legacy', wish);
}

async function unitIn(control: Control, name: string, verb: 'cutover' | 'rollback', wanted: Phase) {
  const unit = findUnit(control.plan, name, verb);
  const knowns = await Promise.all(unit.members.map((member) => lookUp(control, member)));
  assertNotRunning(unit, knowns);
  assertTogether(unit, knowns);
  const phase = knowns[0]?.standing.phase ?? 'legacy';
  if (phase === 'retired') throw isRetired(name);
  if (phase !== wanted) throw wrongPhaseForCutover(name, phase);
  const without = knowns.find(({ migration }) => migration.data === undefined);
  if (without) throw groupWithoutData(unit.name, without.name);
  return { unit, knowns };
}

/** Throws CUTOVER_RUNNING while the writes of a unit change sides. */
export function assertNotRunning(unit: Unit, knowns: readonly Pick<Known, 'standing'>[]): void {
  const running = knowns
    .flatMap(({ standing }) => standing.cutover ?? [])
    .find(({ state }) => !isOver(state));
  if (running) throw cutoverRunning(unit.name, running.state, running.by, running.startedAt);
}

async function changeSides(
  control: Control,
  unit: Unit,
  knowns: readonly Known[],
  to: Side,
  wish: CutoverWish,
): Promise<Moved> {
  if (wish.force && !wish.why?.trim()) throw forceNeedsReason(unit.name);
  const from = otherSide(to);
  const phases = {
    from: to === 'service' ? 'canary' : 'extracted',
    to: to === 'service' ? 'extracted' : 'canary',
  } as const;
  const rules = cutoverRules(control.plan, unit.members);
  const [evidence, facts] = await Promise.all([control.evidence.gather(), factsOf(control, unit, to)]);
  const gates = cutoverGates(unit, to, contextsOf(control, knowns, evidence), facts, rules.approval);
  const unmet = gates.filter(({ met }) => !met);
  const forced = unmet.length > 0 && wish.force === true;
  if (unmet.length > 0 && (!forced || !unmet.every(canBeForced))) {
    if (!wish.dryRun)
      for (const { name, standing } of knowns)
        await noteRefusal(control, name, [refusalOf(control, standing.share, phases, wish, gates)]);
    throw gateUnmet(unit.name, `"${phases.to}"`, gates);
  }
  const moved = {
    ok: true as const,
    migration: unit.name,
    members: unit.members,
    ...phases,
    shareFrom: to === 'service' ? (knowns[0]?.share ?? null) : null,
    shareTo: to === 'legacy' ? 0 : null,
    consequence: CONSEQUENCES[to],
    forced,
    gates,
  };
  if (wish.dryRun) return { ...moved, dryRun: true, steps: await rehearse(control, unit, from, to) };
  const { by, why = null } = wish;
  const { cutover, said } = await control.coordinator.begin({ unit, from, to, by, why, gates });
  if (cutover.state === 'ABORTED')
    throw cutoverAborted(
      unit.name,
      cutover.epoch,
      said.findLast((each) => each.startsWith('it goes back'))?.replace('it goes back: ', '') ?? cutover.note,
    );
  const heldMs = heldIn(await control.ledger.history(), unit, cutover.epoch);
  return {
    ...moved,
    dryRun: false,
    steps: said,
    epoch: cutover.epoch,
    ...(heldMs === null ? {} : { heldMs }),
  };
}

/** What gates look at, for each migration of a unit. */
export const contextsOf = (control: Control, knowns: readonly Known[], evidence: Evidence) =>
  knowns.map(({ name, migration, standing, share }) => ({
    name,
    migration,
    standing,
    share,
    evidence,
    planRevision: control.plan.revision,
  }));

async function factsOf(control: Control, unit: Unit, to: Side): Promise<CutoverFacts> {
  const databases = control.databases(unit);
  const rules = cutoverRules(control.plan, unit.members);
  const [fences, transactions, idsRunOut, selfTests] = await Promise.all([
    databases.look(),
    databases.oldTransactions(otherSide(to), rules.maxTransactionMs),
    databases.idsRunOut(to, rules.idGap),
    Promise.all(
      unit.members.map(async (member) => ({
        member,
        ...(await control.sync
          .selfTest(member, { stream: streamFrom(to) })
          .catch((error: Error) => ({ ok: false, problems: [error.message] }))),
      })),
    ),
  ]);
  return { fences, transactions, idsRunOut, selfTests };
}

/** Every step in its order, done by steps that only say it. */
async function rehearse(control: Control, unit: Unit, from: Side, to: Side): Promise<readonly string[]> {
  const steps = dryRunSteps({ unit, from, to }, control.plan);
  const said: string[] = [];
  for (let state: keyof typeof WAYS | undefined = 'PREPARING'; state; state = WAYS[state]?.next)
    await carryOut(state, steps, (note) => said.push(note));
  return said;
}

const refusalOf = (
  control: Control,
  share: number | null,
  phases: { readonly from: Phase; readonly to: Phase },
  wish: CutoverWish,
  gates: readonly Gate[],
): NewLedgerEvent => ({
  kind: 'refused',
  ...phases,
  shareFrom: share,
  shareTo: null,
  by: wish.by,
  why: wish.why ?? null,
  gates,
  verification: null,
  counters: null,
  planRevision: control.plan.revision,
});

/** From the row that has writes held to the one that lets them go, milliseconds. */
function heldIn(
  history: Awaited<ReturnType<Control['ledger']['history']>>,
  unit: Unit,
  epoch: number,
): number | null {
  const rows = history.filter(
    ({ migration, cutover }) => migration === unit.members[0] && cutover?.epoch === epoch,
  );
  const at = (state: string) => rows.find(({ cutover }) => cutover?.state === state)?.at;
  const [held, open] = [at('HOLDING'), at('OPEN')];
  return held === undefined || open === undefined ? null : Date.parse(open) - Date.parse(held);
}
