import { closenessOf, conditionsCover, conditionsMeet } from './conditions.js';
import type { PlanRoute } from './plan.js';

/**
 * What two routes of one path shape do to each other: `same`, one of them can go; `tie`, a request can fit both and nothing
 * says which goes first. A named method goes before `*`, so those two are never in conflict.
 */
export function conflictOf(one: PlanRoute, other: PlanRoute): 'same' | 'tie' | undefined {
  if (!one.match.methods.some((method) => other.match.methods.includes(method))) return undefined;
  if (!conditionsMeet(one.when, other.when)) return undefined;
  if (conditionsCover(one.when, other.when) && conditionsCover(other.when, one.when)) return 'same';
  return one.order === other.order && closenessOf(one.when) === closenessOf(other.when) ? 'tie' : undefined;
}
