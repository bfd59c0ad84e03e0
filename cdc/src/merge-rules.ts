import { type ConflictPolicy, conflictsOf, type Row, type TableMapping } from '@strangler/contracts';
import { canonical } from './canonical.js';
import { keyText, type RowMap } from './map.js';
import { columnOf, type Table } from './table.js';

/** What a mapping of a table with two writers says of its columns, all by their names in the target. */
export type MergeRules = {
  readonly policy: ConflictPolicy;
  readonly authority: 'source' | 'target';
  readonly version: string | undefined;
  /** Columns that stand and fall together, by the policy. */
  readonly together: readonly string[];
  readonly additive: readonly string[];
  readonly ownedBySource: readonly string[];
  readonly ownedByTarget: readonly string[];
  /** Whether two rows have the same in all of the columns, in whatever way it is written. */
  isSame(a: Row, b: Row, names: readonly string[]): boolean;
};

/** Undefined for a table that one side alone writes. */
export function mergeRulesOf(mapping: TableMapping, map: RowMap, target: Table): MergeRules | undefined {
  if (mapping.writers !== 'both') return undefined;
  const { policy, authority, version, columns } = conflictsOf(mapping.conflicts);
  const textOf = (row: Row, name: string): string | null => {
    const [column, value] = [columnOf(target, name), row[name] ?? null];
    return column ? canonical(value, column) : value === null ? null : keyText({ value });
  };
  const names = map.writes.filter((name) => !(name in mapping.key));
  const by = (rule: string | undefined) => names.filter((name) => columns[name] === rule);
  return {
    policy,
    authority,
    version,
    together: by(undefined),
    additive: by('additive'),
    ownedBySource: by('source'),
    ownedByTarget: by('target'),
    isSame: (a, b, columnNames) => columnNames.every((name) => textOf(a, name) === textOf(b, name)),
  };
}

export const pick = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
