import { flagOf, type Migration, type Plan } from '@strangler/contracts';
import { migrationUnknown } from '../errors.js';
import { foldLedger, type Standing, UNTOUCHED } from '../ledger/fold.js';
import type { Control } from './control.js';
import type { Position } from './move.js';

/** A migration of the plan, as plan, ledger and flag have it now. */
export type Known = {
  readonly name: string;
  readonly migration: Migration;
  readonly flag: string;
  readonly standing: Standing;
  /** What the flag says; null when it cannot be told. */
  readonly share: number | null;
};

/** Throws MIGRATION_UNKNOWN. */
export function findMigration(plan: Plan, name: string) {
  const migration = Object.hasOwn(plan.migrations, name) ? plan.migrations[name] : undefined;
  if (!migration) throw migrationUnknown(name, Object.keys(plan.migrations));
  return { migration, flag: migration.flag ?? flagOf(name) };
}

export const standingOf = async ({ ledger }: Control, name: string) => ({
  standing: foldLedger(await ledger.history()).get(name) ?? UNTOUCHED,
});

export async function lookUp(control: Control, name: string): Promise<Known> {
  const { migration, flag } = findMigration(control.plan, name);
  const [{ standing }, share] = await Promise.all([standingOf(control, name), control.flags.share(flag)]);
  return { name, migration, flag, standing, share };
}

export const positionOf = ({ standing, share }: Known): Position => ({
  phase: standing.phase,
  share: share ?? standing.share ?? 0,
});
