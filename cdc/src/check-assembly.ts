import type { ColumnRule, ListRule, PartRule, Problem, TableMapping } from '@strangler/contracts';
import { droppedColumns } from './check-lens-columns.js';
import { checkTables } from './check-tables.js';
import { PAGED_KINDS } from './column.js';
import { compileMapping } from './map.js';
import { keyedBy, type ShadowMapping, shadowsOf } from './shadow-mappings.js';
import { columnOf, type Table } from './table.js';

type Found = Table | undefined | 'unknown';

const OF_TARGET: ReadonlySet<string> = new Set([
  'COLUMN_MISSING',
  'COLUMN_GENERATED',
  'COLUMN_TYPE_UNKNOWN',
  'COLUMN_NARROWER',
]);
const NUMBERS: ReadonlySet<string> = new Set(['integer', 'decimal', 'year']);
const isKnown = (table: Found): table is Table => table !== undefined && table !== 'unknown';

/** Everything in what a mapping takes from other source tables that these, or the target, cannot give or take. Pure; `others` by name. */
export function checkAssembly(
  mapping: TableMapping,
  {
    source,
    target,
    others,
    carriedBy,
  }: {
    readonly source: Found;
    readonly target: Found;
    readonly others: ReadonlyMap<string, Found>;
    /** What others say of columns of the table of a part or list; undefined: columns may be dropped. */
    readonly carriedBy?: ((of: PartRule | ListRule) => ReadonlySet<string>) | undefined;
  },
  path: string,
): readonly Problem[] {
  return shadowsOf(mapping).flatMap((shadow) => {
    if (shadow.kind === 'asked') return [];
    const other = others.get(shadow.mapping.from);
    const place = `${path}${placeOf(mapping, shadow)}`;
    // As a mapping of its own, and as one of the columns that it gives.
    const read = { source: other, target: 'unknown' as const, children: [] };
    const own = checkTables(
      isKnown(other) ? keyedBy(other.primaryKey, shadow) : shadow.mapping,
      read,
      place,
      true,
    );
    const told = new Set(own.map(({ message }) => message));
    const given = { ...shadow.mapping, key: {}, columns: columnsOf(shadow) };
    const taken = checkTables(given, { ...read, target }, place, true).filter(
      ({ code, message }) => OF_TARGET.has(code) && !told.has(message),
    );
    const of = shadow.kind === 'part' ? shadow.part : shadow.kind === 'list' ? shadow.list : undefined;
    const dropped =
      of && carriedBy && isKnown(other) && own.length === 0
        ? droppedColumns(
            other,
            new Set([...compileMapping(shadow.mapping).reads, ...(of.lost ?? []), ...carriedBy(of)]),
            place,
          )
        : [];
    return [...own, ...taken, ...dropped, ...checkKinds(shadow, source, other, target, place)];
  });
}

/** Where in a mapping it is declared. */
export function placeOf(mapping: TableMapping, shadow: ShadowMapping): string {
  if (shadow.kind === 'part') return `.parts[${(mapping.parts ?? []).indexOf(shadow.part)}]`;
  return shadow.kind === 'asked' ? '' : `.${shadow.kind === 'list' ? 'lists' : 'lookups'}.${shadow.column}`;
}

/** What it gives, as rules of a mapping. */
function columnsOf(shadow: ShadowMapping): Readonly<Record<string, ColumnRule>> {
  if (shadow.kind === 'part') return shadow.part.columns;
  if (shadow.kind === 'lookup') return { [shadow.column]: shadow.lookup.value };
  return shadow.kind === 'list' ? { [shadow.column]: shadow.list.item } : {};
}

function checkKinds(
  shadow: ShadowMapping,
  source: Found,
  other: Found,
  target: Found,
  path: string,
): readonly Problem[] {
  const problem = (code: string, message: string, remedy: string): Problem => ({
    code,
    path,
    message,
    remedy,
  });
  if (shadow.kind === 'list') {
    const item = isKnown(other) ? columnOf(other, shadow.list.item) : undefined;
    const list = isKnown(target) ? columnOf(target, shadow.column) : undefined;
    return [
      ...(item && item.kind !== 'unsupported' && item.kind !== 'text' && !NUMBERS.has(item.kind)
        ? [
            problem(
              'COLUMN_TYPE_UNKNOWN',
              `column "${item.name}" of source table "${shadow.list.from}" is a "${item.type}", which is no element of a list`,
              'choose a column of text or numbers',
            ),
          ]
        : []),
      ...(list && list.kind !== 'text'
        ? [
            problem(
              'COLUMN_NARROWER',
              `column "${list.name}" is a "${list.type}" in the target, which holds no list`,
              'make it a text',
            ),
          ]
        : []),
    ];
  }
  if (shadow.kind !== 'lookup') return [];
  const { column, in: inTable, key } = shadow.lookup;
  const by = isKnown(other) ? columnOf(other, key) : undefined;
  const asks = isKnown(source) ? columnOf(source, column) : undefined;
  return [
    ...(isKnown(source) && !asks
      ? [
          problem(
            'COLUMN_MISSING',
            `column "${column}" is not in source table "${source.name}"`,
            'correct the name',
          ),
        ]
      : []),
    ...(by && !PAGED_KINDS.has(by.kind)
      ? [
          problem(
            'KEY_TYPE',
            `column "${key}" of source table "${inTable}" is a "${by.type}", by which nothing can be looked up`,
            'choose a column of numbers, text, bytes or dates',
          ),
        ]
      : []),
    ...(by && asks && by.kind !== asks.kind && !(NUMBERS.has(by.kind) && NUMBERS.has(asks.kind))
      ? [
          problem(
            'KEY_TYPE',
            `column "${column}" is a "${asks.type}" and is looked up in "${key}" of "${inTable}", a "${by.type}"`,
            'give both the same type',
          ),
        ]
      : []),
  ];
}
