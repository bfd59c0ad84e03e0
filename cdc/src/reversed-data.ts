import { areOneRow, lookupBack, type MigrationData, type TableMapping } from '@strangler/contracts';
import { reverseOf, type ReversedMapping } from './reverse.js';

/**
 * What a stream back carries, by what the one there does. What a row was put together from goes back to where it came from: a part to its own table, a list to its rows,
 * what was looked up is looked up the other way. Several mappings of the same rows of one table come back as one row. A TRUNCATE on that side stops it.
 */
export function reversedData(data: MigrationData): MigrationData {
  const { tables } = data;
  // A table that a mapping brings back by itself has no other way.
  const brought = new Set(tables.map(({ from }) => from));
  const isFirst = (table: string) => !brought.has(table) && brought.add(table) !== undefined;
  return {
    from: data.to,
    to: data.from,
    chunkRows: data.chunkRows,
    tables: tables.flatMap((mapping) => {
      const anchor = anchorOf(mapping, tables);
      const parts = (mapping.parts ?? []).filter(({ from }) => isFirst(from));
      return [
        ...(anchor === mapping ? [withOthers(mapping, tables, isFirst)] : []),
        ...parts.map((part): ReversedMapping => ({
          ...reverseOf({
            from: part.from,
            to: mapping.to,
            key: part.key,
            columns: part.columns,
            split: [],
            writers: mapping.writers,
          }),
          absent: part.absent,
        })),
      ];
    }),
  };
}

/** Of several mappings of one row that whose rows say whether it is there: the one that takes from other tables, else the first of the plan. */
export function anchorOf(mapping: TableMapping, tables: readonly TableMapping[]): TableMapping {
  const all = tables.filter((each) => each === mapping || areOneRow(each, mapping));
  return all.find(({ lookups, lists }) => lookups ?? lists) ?? all[0] ?? mapping;
}

function withOthers(
  mapping: TableMapping,
  tables: readonly TableMapping[],
  isFirst: (table: string) => boolean,
): ReversedMapping {
  const whole = reverseOf(mapping);
  const anchor = { ...whole, split: whole.split.filter(({ to }) => isFirst(to)) };
  const given = new Set([
    ...Object.keys(anchor.key),
    ...Object.keys(anchor.columns),
    ...Object.keys(anchor.lists ?? {}),
  ]);
  const others = tables
    .filter((each) => each !== mapping && anchorOf(each, tables) === mapping)
    .map((each) => {
      const reversed = reverseOf({
        ...each,
        owned: { source: [...(each.owned?.source ?? []), ...given], target: each.owned?.target ?? [] },
      });
      for (const name of [...Object.keys(reversed.columns), ...Object.keys(reversed.lists ?? {})])
        given.add(name);
      return reversed;
    });
  const parts = others
    .filter(({ columns }) => Object.keys(columns).length > 0)
    .map((each) => ({
      from: each.from,
      key: inOrderOf(anchor.key, each.key),
      columns: each.columns,
      absent: {},
      reversed: { ...each, key: inOrderOf(anchor.key, each.key), split: [], lists: undefined },
    }));
  const lookups = Object.fromEntries(
    Object.entries(mapping.lookups ?? {}).flatMap(([target, lookup]) => {
      const back = lookupBack(target, lookup, tables);
      if (!back || given.has(lookup.column) || mapping.owned?.source.includes(lookup.column)) return [];
      given.add(lookup.column);
      return [[lookup.column, back] as const];
    }),
  );
  const lists = Object.assign(
    {},
    ...others.map((each) => each.lists),
    anchor.lists,
  ) as ReversedMapping['lists'];
  return {
    ...anchor,
    ...(parts.length === 0 ? {} : { parts }),
    ...(Object.keys(lookups).length === 0 ? {} : { lookups }),
    ...(Object.keys(lists ?? {}).length === 0 ? {} : { lists }),
  };
}

const inOrderOf = (order: object, key: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.keys(order).map((name) => [name, key[name] ?? name]));
