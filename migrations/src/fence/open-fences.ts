import type { Plan } from '@strangler/contracts';
import { type FenceDatabase, fenceDatabaseOf } from './fence-database.js';
import type { Fences } from './fences.js';
import { triggerFences } from './trigger-fences.js';

export const databaseNamed = (plan: Plan, name: string): FenceDatabase =>
  fenceDatabaseOf(name, plan.databases[name] as string);

/** The fences of a database of the plan. */
export const openFences = (plan: Plan, database: string): Fences =>
  triggerFences(databaseNamed(plan, database));
