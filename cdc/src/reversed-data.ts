import type { LookupRule, MigrationData, TableMapping } from '@strangler/contracts';
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

/** Whether two mappings carry the same rows of one table, each some of the columns. */
function areOneRow(a: TableMapping, b: TableMapping): boolean {
  const [one, other] = [Object.values(a.key), Object.values(b.key)];
  return (
    a.from === b.from &&
    [a, b].every(({ where, discriminator, writers }) => !where && !discriminator && writers !== 'both') &&
    one.length === other.length &&
    one.every((name) => other.includes(name))
  );
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

/** The same lookup the other way, in the table that the looked-up one is carried to. What is not there would come back as nothing, so it is refused. */
function lookupBack(
  target: string,
  { in: inTable, key, value }: LookupRule,
  tables: readonly TableMapping[],
): LookupRule | undefined {
  for (const { from, to, discriminator, key: names, columns } of tables) {
    if (from !== inTable || discriminator) continue;
    const copies = Object.entries({ ...columns, ...names });
    const named = (source: string) => copies.find(([, rule]) => rule === source)?.[0];
    const [asked, given] = [named(value), named(key)];
    if (asked !== undefined && given !== undefined)
      return { column: target, in: to, key: asked, value: given, missing: 'refuse' };
  }
  return undefined;
}
