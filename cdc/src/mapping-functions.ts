import { reasonOf, type Row } from '@strangler/contracts';
import type { MappedValue } from './map-rules.js';

/** A function that a plan names, by that name (`FILE#EXPORT`). */
export type MappingFunction = (row: Row) => unknown;
export type MappingFunctions = ReadonlyMap<string, MappingFunction>;
export const NO_FUNCTIONS: MappingFunctions = new Map();

/** `/plans/mappings/price.js#toGross` as a person reads it. */
export const functionShown = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

type Called =
  { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly reason: string };

/** Calls a function of the plan; what it throws is an answer too, so that a row is refused and nothing ends. */
export function callFunction(functions: MappingFunctions, name: string, row: Row): Called {
  const called = functions.get(name);
  if (called === undefined)
    return { ok: false, reason: `is mapped by "${functionShown(name)}", which is not loaded` };
  try {
    return { ok: true, answer: called(row) };
  } catch (error) {
    const why = reasonOf(error);
    return { ok: false, reason: `is refused by "${functionShown(name)}" (${why.slice(0, 200)})` };
  }
}

/** A value as a function may answer it, as it travels. */
export function valueOf(answer: unknown, name: string): MappedValue {
  if (answer === null || typeof answer === 'string' || answer instanceof Uint8Array)
    return { ok: true, value: answer };
  if (typeof answer === 'boolean') return { ok: true, value: answer ? '1' : '0' };
  if (
    typeof answer === 'bigint' ||
    (typeof answer === 'number' && Number.isFinite(answer) && Math.abs(answer) < 1e15)
  )
    return { ok: true, value: String(answer) };
  const what =
    answer instanceof Promise
      ? 'a promise'
      : typeof answer === 'number'
        ? `the number ${answer}`
        : typeof answer;
  return { ok: false, reason: `is mapped by "${functionShown(name)}", which answers ${what}` };
}
