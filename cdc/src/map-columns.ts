import {
  type ColumnRule,
  partsOf,
  readsOf,
  type Row,
  type TableMapping,
  type Value,
} from '@strangler/contracts';
import { compileRule, isSimple, type MappedValue } from './map-rules.js';
import { callFunction, type MappingFunctions, valueOf } from './mapping-functions.js';

/** One target column: what it reads of the source row, and how it is made of that. */
export type TargetColumn = {
  readonly target: string;
  readonly reads: readonly string[];
  readonly map: (row: Row) => MappedValue;
};

const bytes: MappedValue = { ok: false, reason: 'holds bytes, which this rule cannot read' };

/** Pieces of a text, `count` at most: the last one has the rest. */
export function piecesOf(text: string, separator: string, count: number): readonly string[] {
  const pieces = text.split(separator);
  return pieces.length <= count
    ? pieces
    : [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)];
}

/** Those that are not NULL, one behind the other; NULL when all of them are. */
export function joined(values: readonly Value[], separator: string): MappedValue {
  const texts: string[] = [];
  for (const value of values) {
    if (value instanceof Uint8Array) return bytes;
    if (value !== null) texts.push(value);
  }
  return { ok: true, value: texts.length === 0 ? null : texts.join(separator) };
}

/** Compiles the rule of one target column. */
function compileColumn(
  target: string,
  rule: ColumnRule,
  mapping: TableMapping,
  functions: MappingFunctions,
): TargetColumn {
  const reads = readsOf(rule);
  if (isSimple(rule)) {
    const { source, map } = compileRule(rule);
    return { target, reads, map: source === null ? () => map(null) : (row) => map(row[source] ?? null) };
  }
  if ('join' in rule) {
    const { join, separator } = rule;
    return {
      target,
      reads,
      map: (row) =>
        joined(
          join.map((name) => row[name] ?? null),
          separator,
        ),
    };
  }
  if ('part' in rule) {
    const { part, separator, index } = rule;
    const group = partsOf(mapping).find((each) => each.some(([name]) => name === target)) ?? [];
    const count = Math.max(...group.map(([, each]) => each.index)) + 1;
    return {
      target,
      reads,
      map(row) {
        const text = row[part] ?? null;
        if (text instanceof Uint8Array) return bytes;
        return { ok: true, value: text === null ? null : (piecesOf(text, separator, count)[index] ?? null) };
      },
    };
  }
  return {
    target,
    reads,
    map(row) {
      const called = callFunction(functions, rule.function, pick(row, reads));
      return called.ok ? valueOf(called.answer, rule.function) : called;
    },
  };
}

const pick = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]));

/** Every target column that is written on the way there. */
export const compileColumns = (mapping: TableMapping, functions: MappingFunctions): readonly TargetColumn[] =>
  Object.entries(mapping.columns)
    .filter(([target]) => mapping.owned?.target.includes(target) !== true)
    .map(([target, rule]) => compileColumn(target, rule, mapping, functions));
