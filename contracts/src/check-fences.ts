import type { Parts } from './plan-parts.js';

/** Fences stand in databases of the plan. */
export function checkFences(
  fences: Parts,
  databases: Parts,
  complain: (path: readonly string[], message: string, remedy: string) => void,
): void {
  for (const name of Object.keys(fences))
    if (databases[name] === undefined)
      complain(['fences', name], 'is not a database of the plan', 'name one of "databases"');
}
