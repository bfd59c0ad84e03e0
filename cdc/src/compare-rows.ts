import type { Row, Value } from '@strangler/contracts';
import { canonical } from './canonical.js';
import { keyShown, type MappedRow } from './map.js';
import { columnOf, type Table } from './table.js';
import type { TablePair } from './table-pair.js';

/** One row of a target table that is not as the mapping of its source row asks for. */
export type Difference = {
  readonly table: string;
  readonly kind: 'different' | 'missing' | 'extra';
  readonly key: string;
  readonly difference: string;
};

const MAX_SHOWN = 40;
const shown = (value: Value | undefined): string =>
  value === null || value === undefined
    ? 'NULL'
    : typeof value === 'string'
      ? `"${value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value}"`
      : `0x${Buffer.from(value).toString('hex').slice(0, MAX_SHOWN)}`;

const canonicalText = (row: Row, names: readonly string[], table: Table): string =>
  JSON.stringify(
    names.map((name) => {
      const column = columnOf(table, name);
      return column ? canonical(row[name] ?? null, column) : null;
    }),
  );

/** The key of a target row in the one form both sides are compared in. */
export const targetKeyText = (pair: TablePair, key: Row): string =>
  canonicalText(key, pair.map.keyNames, pair.target);

/** The same for any two keys that the target could take for one; other keys may have it in common too, under a collation that knows no case. */
export const sameKeyText = (pair: TablePair, key: Row): string =>
  JSON.stringify(
    pair.map.keyNames.map((name) => {
      const column = columnOf(pair.target, name);
      const text = column ? canonical(key[name] ?? null, column) : null;
      return text === null || !column?.collation || column.collation.endsWith('_bin') ? text : folded(text);
    }),
  );

/** A text as a collation may take it that knows neither case nor accents nor blanks at the end. */
export const folded = (text: string): string =>
  text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replace(/ +$/, '');

/** What a source row asks of the target. A row that cannot be mapped has no target row that could be right; its key is parked, or will be. */
export function expectedOf(pair: TablePair, row: Row): MappedRow | undefined {
  const mapped = pair.map.map(row);
  return mapped.ok ? mapped.row : undefined;
}

/** What a target holds for one key: its row, and its children for each split. */
export type Found = { readonly row: Row | undefined; readonly children: readonly (readonly Row[])[] };

/** Compares what the mapping asks for (undefined: nothing) with what is there. */
export function compareRow(
  pair: TablePair,
  expected: MappedRow | undefined,
  found: Found,
): readonly Difference[] {
  const differences: Difference[] = [];
  const table = pair.target.name;
  if (expected && !found.row)
    differences.push({ table, kind: 'missing', key: keyShown(expected.key), difference: 'is missing' });
  else if (!expected && found.row) {
    const key = Object.fromEntries(pair.map.keyNames.map((name) => [name, found.row?.[name] ?? null]));
    differences.push({ table, kind: 'extra', key: keyShown(key), difference: 'has no source row' });
  } else if (expected && found.row) {
    const wrong: string[] = [];
    for (const [name, value] of Object.entries(expected.columns)) {
      const column = columnOf(pair.target, name);
      const actual = found.row[name] ?? null;
      if (value !== actual && column && canonical(value, column) !== canonical(actual, column))
        wrong.push(`${name}: ${shown(value)} expected, ${shown(actual)} found`);
    }
    if (wrong.length > 0)
      differences.push({
        table,
        kind: 'different',
        key: keyShown(expected.key),
        difference: wrong.join('; ').slice(0, 300),
      });
  }
  for (const [index, child] of pair.children.entries())
    differences.push(...compareChildren(pair, index, child, expected, found.children[index] ?? []));
  return differences;
}

function compareChildren(
  pair: TablePair,
  index: number,
  child: Table,
  expected: MappedRow | undefined,
  found: readonly Row[],
): Difference[] {
  const names = pair.childColumns(index);
  const wanted = new Map(
    (expected?.children[index]?.rows ?? []).map((row) => [canonicalText(row, names, child), row]),
  );
  const differences: Difference[] = [];
  for (const row of found)
    if (!wanted.delete(canonicalText(row, names, child)))
      differences.push({
        table: child.name,
        kind: 'extra',
        key: keyShown(pick(row, names)),
        difference: 'is not in the list of its source row',
      });
  for (const row of wanted.values())
    differences.push({
      table: child.name,
      kind: 'missing',
      key: keyShown(pick(row, names)),
      difference: 'is missing',
    });
  return differences;
}

const pick = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
