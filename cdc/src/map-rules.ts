import type { ColumnRule, Value } from '@strangler/contracts';
import { localToUtc } from './local-time.js';
import { typeValues } from './type-values.js';

/** A mapped value, or what is wrong with the source's, as the end of a sentence that starts with the column. */
export type MappedValue =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: string };
export type ColumnMap = { readonly source: string | null; readonly map: (value: Value) => MappedValue };
/** A rule that reads one source column at most. */
export type SimpleRule = Exclude<
  ColumnRule,
  { join: readonly string[] } | { part: string } | { function: string }
>;
export const isSimple = (rule: ColumnRule): rule is SimpleRule =>
  typeof rule === 'string' || !('join' in rule || 'part' in rule || 'function' in rule);

const ok = (value: Value): MappedValue => ({ ok: true, value });
const wrong = (reason: string): MappedValue => ({ ok: false, reason });
const shown = (value: Value): string => (typeof value === 'string' ? `"${value.slice(0, 60)}"` : 'bytes');

/** Decimal text to an integer of `digits` places, by its digits: no binary fraction is ever made of it. */
export function toMinorUnits(text: string, digits: number): MappedValue {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (!match) return wrong(`holds ${shown(text)}, which is not a decimal number`);
  const [, sign, whole, fraction = ''] = match;
  if (/[1-9]/.test(fraction.slice(digits)))
    return wrong(
      `holds ${shown(text)}, which has more than ${digits} decimal places: raise "digits" or correct the row`,
    );
  const minor = BigInt(`${whole}${fraction.slice(0, digits).padEnd(digits, '0')}`);
  return ok(`${sign === '-' && minor !== 0n ? '-' : ''}${minor}`);
}

/** A rule of the plan as a function, compiled once for each column. */
export function compileRule(rule: SimpleRule): ColumnMap {
  if (typeof rule === 'string') return { source: rule, map: ok };
  if ('constant' in rule) {
    const value =
      rule.constant === null
        ? null
        : typeof rule.constant === 'boolean'
          ? rule.constant
            ? '1'
            : '0'
          : String(rule.constant);
    return { source: null, map: () => ok(value) };
  }
  if ('minor' in rule)
    return { source: rule.minor, map: whenText((text) => toMinorUnits(text, rule.digits)) };
  if ('type' in rule) return { source: rule.type, map: whenText(typeValues(rule).there) };
  if ('utc' in rule) {
    const convert = localToUtc(rule.zone);
    return { source: rule.utc, map: whenText(convert) };
  }
  if ('enum' in rule) {
    const values = new Map(Object.entries(rule.values));
    return {
      source: rule.enum,
      map: whenText((text) => {
        const value = values.get(text);
        return value === undefined
          ? wrong(`holds ${shown(text)}, which "values" does not map: add it to the plan`)
          : ok(value);
      }),
    };
  }
  return {
    source: rule.flag,
    map: (value) => {
      if (value === null) return ok(rule.whenNull ? '1' : '0');
      // A BIT(1) travels as one byte.
      const text = typeof value === 'string' ? value : String(value.at(-1) ?? '');
      return text === '0' || text === '1'
        ? ok(text)
        : wrong(`holds ${shown(text)}, which is neither 0 nor 1: map it with "enum" or correct the row`);
    },
  };
}

export const whenText =
  (map: (text: string) => MappedValue) =>
  (value: Value): MappedValue =>
    value === null
      ? ok(null)
      : typeof value === 'string'
        ? map(value)
        : wrong('holds bytes, which this rule cannot read');
