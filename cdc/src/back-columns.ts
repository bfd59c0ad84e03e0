import {
  backOfEnum,
  type ColumnRule,
  givenByWhere,
  type Row,
  type TableMapping,
  type Value,
  type WayBack,
  waysBack,
} from '@strangler/contracts';
import { compileFilter } from './filter.js';
import { utcToLocal } from './local-time.js';
import { joined, piecesOf } from './map-columns.js';
import { isSimple, type MappedValue, type SimpleRule, whenText } from './map-rules.js';
import { callFunction, functionShown, type MappingFunctions, valueOf } from './mapping-functions.js';
import { typeValues } from './type-values.js';

export type GivenBack =
  | { readonly ok: true; readonly values: Row }
  /** `reason` ends a sentence that starts with the target column. */
  | { readonly ok: false; readonly column: string; readonly reason: string };

/** How source columns are made of a target row. */
export type SourceColumns = {
  /** Target columns that they are made of. */
  readonly reads: readonly string[];
  readonly gives: readonly string[];
  readonly back: (row: Row) => GivenBack;
};

/** An integer of the currency's smallest unit as a decimal: 1290 with two digits is 12.90. */
export function fromMinorUnits(text: string, digits: number): MappedValue {
  const match = /^(-?)(\d+)$/.exec(text);
  if (!match) return { ok: false, reason: `holds "${text.slice(0, 60)}", which is no whole number` };
  const [, sign = '', all = ''] = match;
  const padded = all.padStart(digits + 1, '0');
  const cut = padded.length - digits;
  return { ok: true, value: `${sign}${padded.slice(0, cut)}${digits === 0 ? '' : `.${padded.slice(cut)}`}` };
}

function simpleBack(rule: SimpleRule): (value: Value) => MappedValue {
  if (typeof rule === 'string' || 'constant' in rule) return (value) => ({ ok: true, value });
  if ('minor' in rule) return whenText((text) => fromMinorUnits(text, rule.digits));
  if ('utc' in rule) return whenText(utcToLocal(rule.zone));
  if ('type' in rule) return bitAsText(whenText(typeValues(rule).back));
  if ('enum' in rule) {
    const { values } = backOfEnum(rule);
    return whenText((text) => {
      const value = values.get(text);
      return value === undefined
        ? {
            ok: false,
            reason: `holds "${text.slice(0, 60)}", to which "values" maps nothing: add it to the plan`,
          }
        : { ok: true, value };
    });
  }
  return bitAsText((value) => ({ ok: true, value }));
}

/** A BIT(1) travels as one byte. */
const bitAsText =
  (map: (value: Value) => MappedValue) =>
  (value: Value): MappedValue =>
    map(value instanceof Uint8Array && value.length === 1 ? String(value.at(0)) : value);

/** Several values of a text that stood in one column, and the last of them the rest. */
function separated(names: readonly string[], separator: string, target: string, value: Value): GivenBack {
  if (value instanceof Uint8Array)
    return { ok: false, column: target, reason: 'holds bytes, which this rule cannot read' };
  const pieces = value === null ? [] : piecesOf(value, separator, names.length);
  return { ok: true, values: Object.fromEntries(names.map((name, index) => [name, pieces[index] ?? null])) };
}

function compileWay(way: WayBack, functions: MappingFunctions): (row: Row) => GivenBack {
  const { rule, gives, from } = way;
  const [target = ''] = from;
  const [source = ''] = gives;
  const one = (mapped: MappedValue): GivenBack =>
    mapped.ok
      ? { ok: true, values: { [source]: mapped.value } }
      : { ok: false, column: target, reason: mapped.reason };
  if (isSimple(rule)) {
    const back = simpleBack(rule);
    return (row) => one(back(row[target] ?? null));
  }
  if ('part' in rule)
    return (row) =>
      one(
        joined(
          from.map((name) => row[name] ?? null),
          rule.separator,
        ),
      );
  if ('join' in rule) return (row) => separated(rule.join, rule.separator, target, row[target] ?? null);
  return (row) => functionBack(rule, gives, target, functions, row);
}

function functionBack(
  rule: Extract<ColumnRule, { function: string }>,
  gives: readonly string[],
  target: string,
  functions: MappingFunctions,
  row: Row,
): GivenBack {
  const name = rule.back ?? '';
  const refused = (reason: string): GivenBack => ({ ok: false, column: target, reason });
  const called = callFunction(functions, name, { [target]: row[target] ?? null });
  if (!called.ok) return refused(called.reason);
  const { answer } = called;
  if (answer === null || typeof answer !== 'object')
    return refused(`is given back by "${functionShown(name)}", which answers no object of source columns`);
  const values: Record<string, Value> = {};
  for (const column of gives) {
    const value = valueOf((answer as Record<string, unknown>)[column], name);
    if (!value.ok) return refused(`${value.reason} for "${column}"`);
    values[column] = value.value;
  }
  return { ok: true, values };
}

/** How every source column comes back that does: by the first way there is, those of the source's own left out. */
export function compileBack(mapping: TableMapping, functions: MappingFunctions): readonly SourceColumns[] {
  const taken = new Set([...Object.values(mapping.key), ...(mapping.owned?.source ?? [])]);
  const columns: SourceColumns[] = [];
  for (const way of waysBack(mapping)) {
    const gives = way.gives.filter((name) => !taken.has(name));
    if (gives.length === 0) continue;
    gives.forEach((name) => taken.add(name));
    const back = compileWay(way, functions);
    columns.push({
      reads: way.from,
      gives,
      back(row) {
        const given = back(row);
        return given.ok && gives.length < way.gives.length
          ? { ok: true, values: Object.fromEntries(gives.map((name) => [name, given.values[name] ?? null])) }
          : given;
      },
    });
  }
  const { given } = compileFilter(mapping);
  const same = givenByWhere(mapping).filter((name) => !taken.has(name));
  if (same.length > 0) {
    const values = Object.fromEntries(same.map((name) => [name, given[name] ?? null]));
    columns.push({ reads: [], gives: same, back: () => ({ ok: true, values }) });
  }
  return columns;
}
