import { type Condition, type Conditions, hostMatches } from '@strangler/contracts';
import type { Facts } from './request-facts.js';

/** Whether a request fulfils a route's conditions. */
export type Fulfil = (facts: Facts) => boolean;

// What only a broken or hostile client sends for a host matches no name, also not "*.": "evil.test/.shop.test".
const HOST_NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$/;

/**
 * All conditions must hold. A name the request gives several values fulfils a condition only when each of them would: two
 * servers may take different ones. Undefined: there is nothing to fulfil.
 */
export function compileConditions(conditions: Conditions): Fulfil | undefined {
  if (conditions.length === 0) return undefined;
  const each = conditions.map(compileCondition);
  return (facts) => each.every((fulfil) => fulfil(facts));
}

function compileCondition({ kind, name, values }: Condition): Fulfil {
  const accepts = acceptor(kind, values);
  return (facts) => {
    const given = facts(kind, name);
    return given.length > 0 && given.every(accepts);
  };
}

function acceptor(kind: Condition['kind'], values: Condition['values']): (given: string) => boolean {
  if (values === true) return () => true;
  if (kind === 'host')
    return (given) => HOST_NAME.test(given) && values.some((pattern) => hostMatches(given, pattern));
  const allowed = new Set(values);
  return (given) => allowed.has(given);
}
