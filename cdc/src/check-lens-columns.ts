import type { Problem, TableMapping, Where, WhereValue } from '@strangler/contracts';
import type { Column } from './column.js';
import { whereText } from './filter.js';
import { asPrinted, unfitFor } from './fit-column.js';
import { compileMapping } from './map.js';
import { columnOf, type Table } from './table.js';

type Around = {
  /** Undefined: not there, or its database does not answer, which is told elsewhere. */
  readonly source: Table | undefined;
  readonly target: Table | undefined;
  /** Whether the stream has begun, and columns may come that the mapping does not know. */
  readonly isFlowing: boolean;
  /** Columns of the source that others carry, or say to be lost. */
  readonly carried?: ReadonlySet<string>;
};

const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** What a mapping says of columns that are lost, owned or asked for, and what it does not say. Pure. */
export function checkLensColumns(
  mapping: TableMapping,
  { source, target, isFlowing, carried = new Set() }: Around,
  path: string,
): readonly Problem[] {
  const found: Problem[] = [];
  const complain = (code: string, place: string, message: string, remedy: string) =>
    found.push({ code, path: `${path}${place}`, message, remedy });
  const missing = (table: Table, names: readonly string[], place: string, side: string) => {
    for (const name of names)
      if (!columnOf(table, name))
        complain(
          'COLUMN_MISSING',
          place,
          `column "${name}" is not in ${side} table "${table.name}"`,
          'correct the name or leave it out',
        );
  };
  if (target) missing(target, mapping.owned?.target ?? [], '.owned.target', 'target');
  if (!source) return found;
  for (const [name, condition] of Object.entries(mapping.where ?? {})) {
    const column = columnOf(source, name);
    for (const value of column ? valuesIn(condition) : []) {
      const wrong = column && neverPrinted(value, column);
      if (wrong !== undefined)
        complain(
          'WHERE_NEVER',
          `.where.${name}`,
          `asks for ${JSON.stringify(value)}, and column "${name}" of source table "${source.name}" ${wrong}`,
          'write a value as a SELECT prints it',
        );
    }
  }
  // What is said of columns that came or went while data flow keeps nothing from going on.
  if (isFlowing) return found;
  missing(source, mapping.lost ?? [], '.lost', 'source');
  missing(source, mapping.owned?.source ?? [], '.owned.source', 'source');
  const { reads } = compileMapping(mapping);
  const said = new Set([
    ...reads,
    ...Object.values(mapping.lookups ?? {}).map(({ column }) => column),
    ...(mapping.lost ?? []),
    ...(mapping.leaveOut ?? []),
    ...(mapping.owned?.source ?? []),
  ]);
  for (const name of mapping.owned?.target ?? []) {
    const rule = mapping.columns[name];
    if (typeof rule === 'string') said.add(rule);
  }
  found.push(...droppedColumns(source, new Set([...said, ...carried]), path));
  return found;
}

/** Columns of a source table of which nothing is said. */
export function droppedColumns(source: Table, said: ReadonlySet<string>, path: string): readonly Problem[] {
  const dropped = source.columns
    .filter(({ name, generated }) => !generated && !said.has(name))
    .map(({ name }) => name);
  const isOne = dropped.length === 1;
  return dropped.length === 0
    ? []
    : [
        {
          code: 'COLUMN_DROPPED',
          path,
          message: `${isOne ? 'column' : 'columns'} ${list(dropped)} of source table "${source.name}" ${isOne ? 'has' : 'have'} no place in the target, so what ${isOne ? 'it holds' : 'they hold'} would be lost without a word`,
          remedy: `map ${isOne ? 'it' : 'them'}, or write "lost: [${dropped.join(', ')}]"`,
        },
      ];
}

const valuesIn = (condition: Where[string]): readonly WhereValue[] =>
  condition === null || typeof condition !== 'object'
    ? [condition]
    : Array.isArray(condition)
      ? condition
      : [condition.not].flat();

/** Why no row has a value, as the end of a sentence that starts with the column. */
function neverPrinted(value: WhereValue, column: Column): string | undefined {
  const text = whereText(value);
  if (text === null) return column.nullable ? undefined : 'is never NULL';
  if (column.kind === 'bytes' || column.kind === 'float' || column.kind === 'double')
    return `is a "${column.type}", of which no value can be asked for`;
  const printed = asPrinted(text, column);
  if (unfitFor(text, column) !== undefined) return `is a "${column.type}", which never holds that`;
  return printed === text ? undefined : `prints it as "${String(printed)}"`;
}
