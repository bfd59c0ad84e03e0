import { readsOf } from './column-rule-schema.js';
import type { TableMapping } from './mapping-schema.js';
import { backOfEnum, givenByWhere, isWhole, partsOf, waysBack } from './ways-back.js';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string, remedy: string) => void;

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(' and ');

/** What the rules of a mapping say of its way back; `beside` are columns that come back by other mappings of the same rows. */
export function checkLens(
  table: TableMapping,
  at: Path,
  complain: Complain,
  beside: readonly string[] = [],
): void {
  const told = new Set<string>();
  const lost = table.lost ?? [];
  for (const [target, rule] of Object.entries(table.columns)) {
    if (typeof rule === 'string' || !('enum' in rule)) continue;
    const place = [...at, 'columns', target];
    for (const [value, source] of Object.entries(rule.back ?? {}))
      if (rule.values[source] !== value)
        complain(
          [...place, 'back', value],
          `goes back to "${source}", which "values" does not map to "${value}"`,
          'name a source value that does, or correct "values"',
        );
    const { doubled } = backOfEnum(rule);
    if (doubled.length === 0 || lost.includes(rule.enum)) continue;
    told.add(rule.enum);
    const sources = Object.keys(rule.values).filter((source) => rule.values[source] === doubled[0]);
    complain(
      [...place, 'values'],
      `maps ${listed(sources)} to "${doubled[0]}", so there is no way back`,
      `say which one it goes back to, such as "back: { ${doubled[0]}: ${sources[0]} }", and name "${rule.enum}" under "lost"`,
    );
  }
  for (const group of partsOf(table)) {
    const [first] = group;
    if (!first || isWhole(group) || lost.includes(first[1].part)) continue;
    told.add(first[1].part);
    complain(
      [...at, 'columns', first[0]],
      `is a part of "${first[1].part}" of which not every part is mapped once, so there is no way back`,
      `map the parts from 0 on, each once`,
    );
  }

  const back = new Set([
    ...Object.values(table.key),
    ...waysBack(table).flatMap(({ gives }) => gives),
    ...givenByWhere(table),
    ...table.split.map(({ column }) => column),
    ...lost,
    ...(table.owned?.source ?? []),
    ...told,
    ...beside,
  ]);
  for (const [target, rule] of Object.entries(table.columns)) {
    const without = readsOf(rule).filter((name) => !back.has(name));
    if (without.length === 0) continue;
    without.forEach((name) => back.add(name));
    complain(
      [...at, 'columns', target],
      `reads ${listed(without)}, and no rule gives ${without.length === 1 ? 'it' : 'them'} back`,
      `add "back", or name ${without.length === 1 ? 'it' : 'them'} under "lost"`,
    );
  }
  for (const name of Object.keys(table.where ?? {}))
    if (!back.has(name))
      complain(
        [...at, 'where', name],
        `is asked of "${name}", and no rule gives it back`,
        'map the column, ask for one value, or name it under "lost"',
      );

  for (const [index, name] of lost.entries())
    if (Object.values(table.key).includes(name))
      complain(
        [...at, 'lost', index],
        'is in the key',
        'leave it out here: a key that is lost is a row that is lost',
      );
  for (const [index, name] of (table.owned?.target ?? []).entries())
    if (name in table.key)
      complain(
        [...at, 'owned', 'target', index],
        'is in the key',
        'leave it out here: both sides have the key',
      );
  if (table.writers !== 'both') return;
  if (table.owned !== undefined)
    complain(
      [...at, 'owned'],
      'is not for a table with two writers',
      'name the side of each column under "conflicts.columns"',
    );
  if (table.where !== undefined)
    complain(
      [...at, 'where'],
      'is not for a table with two writers',
      'let one side write it, or take all of its rows',
    );
}
