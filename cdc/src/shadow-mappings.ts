import {
  type ListRule,
  type LookupRule,
  type PartRule,
  type TableMapping,
  tableMappingSchema,
} from '@strangler/contracts';
import type { ReversedPart } from './reverse.js';

/** Columns of shadows that no target has: the key of the source row, what is looked up and what it gives, element and place of a list. */
export const keyColumn = (index: number): string => `#${index}`;
export const MATCH = '#match';
export const VALUE = '#value';
export const ITEM = '#item';
export const PLACE = '#place';

/**
 * A source table whose rows are kept beside the target, because rows of the target are put together from them. `label` tells it from others of the
 * same source table; `mapping` says how its rows get there, by names of columns that the shadow has.
 */
export type ShadowMapping = { readonly label: string; readonly mapping: TableMapping } & (
  | { readonly kind: 'part'; readonly part: PartRule }
  /** What rows of the anchor ask to be looked up. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'lookup'; readonly column: string; readonly lookup: LookupRule }
  | { readonly kind: 'list'; readonly column: string; readonly list: ListRule }
);

const isReversedPart = (part: PartRule): part is ReversedPart => 'reversed' in part;

/** Everything that is kept for a mapping, in the order in which it is copied: what is looked up before what asks for it. */
export function shadowsOf(mapping: TableMapping): readonly ShadowMapping[] {
  const { to, parts = [], lookups = {}, lists = {} } = mapping;
  const made = (from: string, key: Record<string, string>, columns: PartRule['columns']): TableMapping =>
    tableMappingSchema.parse({ from, to, key, columns });
  const asked = Object.entries(lookups);
  return [
    ...asked.map(([column, lookup]): ShadowMapping => ({
      kind: 'lookup',
      label: `${to}.${column}`,
      column,
      lookup,
      mapping: made(lookup.in, { [MATCH]: lookup.key }, { [VALUE]: lookup.value }),
    })),
    ...parts.map((part): ShadowMapping => ({
      kind: 'part',
      label: to,
      part,
      mapping: isReversedPart(part) ? part.reversed : made(part.from, part.key, part.columns),
    })),
    ...Object.entries(lists).map(([column, list]): ShadowMapping => ({
      kind: 'list',
      label: `${to}.${column}`,
      column,
      list,
      mapping: made(list.from, list.key, { [ITEM]: list.item, [PLACE]: list.order }),
    })),
    ...(asked.length === 0
      ? []
      : [
          {
            kind: 'asked' as const,
            label: `${to}.lookups`,
            mapping: made(
              mapping.from,
              mapping.key,
              Object.fromEntries(asked.map(([column, lookup]) => [column, lookup.column])),
            ),
          },
        ]),
  ];
}

/**
 * The same with the primary key of the source table, as it stands, as key of the shadow: where that is not what rows are asked for by, what they are asked for by is
 * a column among others.
 */
export function keyedBy(primaryKey: readonly string[], { mapping }: ShadowMapping): TableMapping {
  const asked = Object.values(mapping.key);
  if (asked.length === primaryKey.length && asked.every((name) => primaryKey.includes(name))) return mapping;
  return {
    ...mapping,
    key: Object.fromEntries(primaryKey.map((name, index) => [keyColumn(index), name])),
    columns: { ...mapping.key, ...mapping.columns },
  };
}
