import { epochOf, isHeld, type Phase, type Plan, type Side, writesServedBy } from '@strangler/contracts';
import { fenceNeeded, migrationUnknown, noData, writesHeld } from '../errors.js';
import { type FencePlace, fencePlacesOf } from '../fence/fence-places.js';
import type { FenceSeen } from '../fence/fences.js';
import { type FenceCost, measureCost } from '../fence/measure-cost.js';
import { databaseNamed, openFences } from '../fence/open-fences.js';
import { lowestOf, type Unit, unitOf } from '../transition/unit.js';
import { controlClient } from './control-client.js';

export type PlacedFences = {
  readonly database: string;
  readonly side: Side;
  readonly tables: readonly string[];
  /** In the order in which they were run, or would be. */
  readonly statements: readonly string[];
  /** Of a small transaction; null where it was not measured. */
  readonly cost: FenceCost | null;
};
export type FencesChanged = {
  readonly ok: true;
  readonly migration: string;
  readonly dryRun: boolean;
  readonly open: Side;
  readonly places: readonly PlacedFences[];
};
export type FencesSeen = {
  readonly ok: boolean;
  readonly migration: string;
  readonly phase: Phase;
  /** The side that writes by the ledger. */
  readonly open: Side;
  readonly fences: readonly (FenceSeen & { readonly database: string; readonly side: Side })[];
};

/** Puts up what is missing of the fences of a unit; what is open is what the ledger says. */
export async function installFences(plan: Plan, name: string, dryRun: boolean): Promise<FencesChanged> {
  const unit = unitNamed(plan, name);
  const places = placesWithData(plan, unit);
  const { open, epoch, held } = await standingOf(plan, unit);
  if (held) throw writesHeld(unit.name);
  return changed(unit, dryRun, open, places, async ({ database, side, tables }) => {
    const fences = openFences(plan, database);
    const start = { open: side === open, epoch };
    const statements = await fences.toInstall(tables, start);
    if (!dryRun) await fences.install(tables, start);
    return { statements, cost: dryRun ? null : await measureCost(databaseNamed(plan, database)) };
  });
}

/** Takes the fences of a unit away. Throws FENCE_NEEDED while the service has the authority and legacy is still there. */
export async function removeFences(plan: Plan, name: string, dryRun: boolean): Promise<FencesChanged> {
  const unit = unitNamed(plan, name);
  const places = placesWithData(plan, unit);
  const { open, phase, held } = await standingOf(plan, unit);
  if (held) throw writesHeld(unit.name);
  if (phase === 'extracted') throw fenceNeeded(unit.name, phase);
  return changed(unit, dryRun, open, places, async ({ database, tables }) => {
    const fences = openFences(plan, database);
    const statements = await fences.toRemove(tables);
    if (!dryRun) await fences.remove(tables);
    return { statements, cost: null };
  });
}

/** How the fences of a unit stand. Not ok: one would not hold, or stands otherwise than the ledger says. */
export async function lookAtFences(plan: Plan, name: string): Promise<FencesSeen> {
  const unit = unitNamed(plan, name);
  const places = placesWithData(plan, unit);
  const { open, phase } = await standingOf(plan, unit);
  const fences: FencesSeen['fences'][number][] = [];
  for (const { database, side, tables } of places)
    for (const seen of await openFences(plan, database).look(tables)) {
      const isOtherwise = seen.state !== null && seen.state.closed === (side === open);
      const said = `is ${seen.state?.closed ? 'closed' : 'open'} although ${open} writes by the ledger`;
      fences.push({ ...seen, database, side, defects: [...seen.defects, ...(isOtherwise ? [said] : [])] });
    }
  const ok = fences.every(({ defects }) => defects.length === 0);
  return { ok, migration: unit.name, phase, open, fences };
}

function unitNamed(plan: Plan, name: string): Unit {
  if (Object.hasOwn(plan.migrations, name)) return unitOf(plan, name);
  const member = plan.groups[name]?.migrations[0];
  if (!Object.hasOwn(plan.groups, name) || member === undefined)
    throw migrationUnknown(name, [...Object.keys(plan.migrations), ...Object.keys(plan.groups)]);
  return unitOf(plan, member);
}

function placesWithData(plan: Plan, unit: Unit): readonly FencePlace[] {
  const places = fencePlacesOf(plan, unit);
  if (places.length === 0) throw noData(unit.name);
  return places;
}

async function standingOf(plan: Plan, { members }: Unit) {
  const client = controlClient(plan);
  const { migrations } = await client.status();
  const phases = members.map((member) => migrations.find(({ name }) => name === member)?.phase ?? 'legacy');
  const phase = lowestOf(phases);
  // A ledger without any event has no state to ask for.
  const state = phases.every((each) => each === 'legacy') ? undefined : await client.state();
  return {
    phase,
    open: writesServedBy(phase),
    epoch: state ? Math.max(...members.map((member) => epochOf(state, member))) : 0,
    held: state !== undefined && members.some((member) => isHeld(state, member)),
  };
}

async function changed(
  { name }: Unit,
  dryRun: boolean,
  open: Side,
  places: readonly FencePlace[],
  work: (place: FencePlace) => Promise<Pick<PlacedFences, 'statements' | 'cost'>>,
): Promise<FencesChanged> {
  const done: PlacedFences[] = [];
  for (const place of places) done.push({ ...place, ...(await work(place)) });
  return { ok: true, migration: name, dryRun, open, places: done };
}
