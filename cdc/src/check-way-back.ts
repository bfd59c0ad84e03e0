import type { MigrationData, Problem, TableMapping } from '@strangler/contracts';
import { addUnique, alter, alterColumn } from './alter.js';
import { uniquesOf } from './check-uniques.js';
import { compileMapping } from './map.js';
import { reversedData } from './reversed-data.js';
import { shadowsOf } from './shadow-mappings.js';
import type { Side } from './sides.js';
import { columnOf, type Table } from './table.js';

const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/**
 * What rows that a stream back writes into the monolith's tables would meet there: columns that must have a value and get none, or not yet, so that each new row would be
 * parked; and keys by which rows are found that are no keys there. `readTableOf` reads a table of the monolith.
 */
export async function checkWayBack(
  legacy: Side,
  data: MigrationData,
  readTableOf: (name: string) => Promise<Table | undefined>,
  path: string,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const mapping of reversedData(data).tables) {
    const table = await readTableOf(mapping.to);
    if (!table || table.isView) continue;
    const { writes, keyNames } = compileMapping(mapping);
    const later = new Set(shadowsOf(mapping).flatMap((shadow) => laterOf(shadow)));
    problems.push(...unfilled(table, writes, later));
    problems.push(...(await keyProblems(legacy, table, keyNames, placeOf(data, mapping.to, path))));
    for (const split of mapping.split) {
      const child = await readTableOf(split.to);
      const names = [
        ...Object.keys(split.key),
        split.item,
        ...(split.position === undefined ? [] : [split.position]),
      ];
      if (child) problems.push(...unfilled(child, names, new Set()));
    }
  }
  return problems;

  function unfilled(table: Table, names: readonly string[], later: ReadonlySet<string>): readonly Problem[] {
    return table.columns
      .filter(
        ({ name, nullable, hasDefault, generated }) =>
          !nullable && !hasDefault && !generated && !names.includes(name),
      )
      .filter(
        ({ name }) => !seen.has(`${table.name}.${name}`) && seen.add(`${table.name}.${name}`) !== undefined,
      )
      .map((column) => ({
        code: 'BACK_UNFILLED',
        path: placeOf(data, table.name, path),
        message: `column "${column.name}" of source table "${table.name}" must have a value, and a row that comes back ${later.has(column.name) ? 'gets it from another row, when it is there already' : 'has none for it'}: a new one would be parked`,
        remedy: later.has(column.name)
          ? 'give it a default, or let it be NULL, before a stream comes back'
          : 'map it so that it comes back, give it a default, or let it be NULL, before a stream comes back',
        statements: alterColumn(
          table,
          column,
          (rest) => `${column.type}${rest.replace(' NOT NULL', ' NULL')}`,
        ),
      }));
  }
}

/** Where rows are found by what is no key. */
async function keyProblems(
  legacy: Side,
  table: Table,
  names: readonly string[],
  path: string,
): Promise<readonly Problem[]> {
  const { primaryKey } = table;
  const isPrimary = names.length === primaryKey.length && names.every((name) => primaryKey.includes(name));
  if (isPrimary || !names.every((name) => columnOf(table, name))) return [];
  const isKey = (await uniquesOf(legacy, table)).some(
    ({ columns, isOfBeginnings }) => !isOfBeginnings && columns.every((name) => names.includes(name)),
  );
  return isKey
    ? []
    : [
        {
          code: 'BACK_KEY',
          path,
          message: `rows of "${table.name}" come back by ${list(names)}, which is no unique key there: each is looked for in the whole table, and two are changed as one`,
          remedy: 'add one before a stream comes back',
          statements: [alter(table, addUnique(names))],
        },
      ];
}

/** Columns that are set from a shadow once the row is there. */
function laterOf(shadow: ReturnType<typeof shadowsOf>[number]): readonly string[] {
  if (shadow.kind === 'part') return Object.keys(shadow.part.columns);
  return shadow.kind === 'asked' ? [] : [shadow.column];
}

/** The first mapping that reads the table. */
function placeOf(data: MigrationData, name: string, path: string): string {
  const reads = ({ from, parts = [], lists = {} }: TableMapping) =>
    from === name || [...parts, ...Object.values(lists)].some((each) => each.from === name);
  return `${path}.tables[${data.tables.findIndex(reads)}]`;
}
