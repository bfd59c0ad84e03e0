import { groupOf, type Phase, type Plan, PHASES } from '@strangler/contracts';
import { memberOfGroup, migrationUnknown } from '../errors.js';
import type { Gate } from '../gates/gate.js';

/** What moves as one: a group of the plan, or a migration that is in none. */
export type Unit = {
  /** Of the group, or of the migration itself. */
  readonly name: string;
  /** Names of its migrations, in the order of the plan. */
  readonly members: readonly string[];
};

const unitNamed = (plan: Pick<Plan, 'migrations' | 'groups'>, name: string): Unit => {
  const group = Object.hasOwn(plan.groups, name) ? plan.groups[name] : undefined;
  return {
    name,
    members: group
      ? Object.keys(plan.migrations).filter((migration) => group.migrations.includes(migration))
      : [name],
  };
};

/** The unit that an operator names. Throws MIGRATION_UNKNOWN, and MEMBER_OF_GROUP for a part of one. */
export function findUnit(
  plan: Plan,
  name: string,
  verb: 'advance' | 'rollback' | 'cutover' | 'retire' | 'approve',
): Unit {
  const isMigration = Object.hasOwn(plan.migrations, name);
  const group = isMigration ? groupOf(plan, name) : undefined;
  if (group !== undefined) throw memberOfGroup(name, group, verb);
  if (!isMigration && !Object.hasOwn(plan.groups, name))
    throw migrationUnknown(name, [...Object.keys(plan.migrations), ...Object.keys(plan.groups)]);
  return unitNamed(plan, name);
}

/** The unit that a migration moves with. */
export const unitOf = (plan: Pick<Plan, 'migrations' | 'groups'>, migration: string): Unit =>
  unitNamed(plan, groupOf(plan, migration) ?? migration);

/** In a group each gate says whose it is. */
export const gatesIn = ({ members }: Unit, member: string, gates: readonly Gate[]): readonly Gate[] =>
  members.length === 1 ? gates : gates.map((gate) => ({ ...gate, gate: `${member}/${gate.gate}` }));

/** The phase that is furthest back. */
export const lowestOf = (phases: readonly Phase[]): Phase =>
  PHASES.find((phase) => phases.includes(phase)) ?? 'legacy';
