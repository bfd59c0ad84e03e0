import type { ColumnRule } from './column-rule-schema.js';
import type { TableMapping } from './mapping-schema.js';

/** A rule, or several that belong together, by which target columns say what source columns hold. */
export type WayBack = {
  readonly gives: readonly string[];
  /** Target columns, in the order of their parts. */
  readonly from: readonly string[];
  readonly rule: ColumnRule;
};

type Part = Extract<ColumnRule, { part: string }>;
const isPart = (rule: ColumnRule): rule is Part => typeof rule !== 'string' && 'part' in rule;

/** The rules that take pieces of one text, by column and separator; in the order of the pieces. */
export function partsOf(mapping: TableMapping): readonly (readonly (readonly [string, Part])[])[] {
  const groups = new Map<string, (readonly [string, Part])[]>();
  for (const [target, rule] of Object.entries(mapping.columns))
    if (isPart(rule)) {
      const id = JSON.stringify([rule.part, rule.separator]);
      groups.set(id, [...(groups.get(id) ?? []), [target, rule]]);
    }
  return [...groups.values()].map((group) => group.toSorted(([, a], [, b]) => a.index - b.index));
}

/** Whether a group of parts has every piece once, so that the text can be put together again. */
export const isWhole = (group: readonly (readonly [string, Part])[]): boolean =>
  group.every(([, { index }], place) => index === place);

/** Source values by the target values that stand for them. A target value that two source values have in common needs `back`. */
export function backOfEnum(rule: Extract<ColumnRule, { enum: string }>): {
  readonly values: ReadonlyMap<string, string>;
  readonly doubled: readonly string[];
} {
  const sources = new Map<string, readonly string[]>();
  for (const [source, target] of Object.entries(rule.values))
    sources.set(target, [...(sources.get(target) ?? []), source]);
  const back = new Map(Object.entries(rule.back ?? {}));
  const values = new Map<string, string>();
  for (const [target, [first = '', ...more]] of sources) {
    const given = back.get(target) ?? (more.length === 0 ? first : undefined);
    if (given !== undefined) values.set(target, given);
  }
  return { values, doubled: [...sources.keys()].filter((target) => !values.has(target)) };
}

/** Source columns that a `where` gives by itself, because every row it takes has the same there. */
export const givenByWhere = (mapping: TableMapping): readonly string[] =>
  Object.entries(mapping.where ?? {}).flatMap(([name, condition]) =>
    condition === null ||
    typeof condition !== 'object' ||
    (Array.isArray(condition) && condition.length === 1)
      ? [name]
      : [],
  );

/** All ways back of a mapping. Copies first: of two ways for one column the first is taken. */
export function waysBack(mapping: TableMapping): readonly WayBack[] {
  const ways: WayBack[] = [];
  for (const [target, rule] of Object.entries(mapping.columns)) {
    const one = (source: string) => ways.push({ gives: [source], from: [target], rule });
    if (typeof rule === 'string') one(rule);
    else if ('minor' in rule) one(rule.minor);
    else if ('utc' in rule) one(rule.utc);
    else if ('flag' in rule) one(rule.flag);
    else if ('type' in rule) one(rule.type);
    else if ('enum' in rule && backOfEnum(rule).doubled.length === 0) one(rule.enum);
    else if ('join' in rule) ways.push({ gives: rule.join, from: [target], rule });
    else if ('function' in rule && rule.back !== undefined)
      ways.push({ gives: rule.gives ?? rule.reads, from: [target], rule });
  }
  for (const group of partsOf(mapping)) {
    const [first] = group;
    if (first && isWhole(group))
      ways.push({ gives: [first[1].part], from: group.map(([target]) => target), rule: first[1] });
  }
  const isCopy = ({ rule }: WayBack) => typeof rule === 'string';
  return [...ways.filter(isCopy), ...ways.filter((way) => !isCopy(way))];
}
