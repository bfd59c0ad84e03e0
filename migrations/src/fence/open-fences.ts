import type { Plan } from '@strangler/contracts';
import { type FenceDatabase, fenceDatabaseOf } from './fence-database.js';
import type { Fences } from './fences.js';
import { grantFences } from './grant-fences.js';
import { triggerFences } from './trigger-fences.js';

export const databaseNamed = (plan: Plan, name: string): FenceDatabase =>
  fenceDatabaseOf(name, plan.databases[name] as string);

/** The fences of a database of the plan, of the kind that the plan says. */
export function openFences(plan: Plan, name: string): Fences {
  const database = databaseNamed(plan, name);
  const rule = plan.fences[name];
  return rule?.by === 'grants' ? grantFences(database, rule.account) : triggerFences(database);
}
