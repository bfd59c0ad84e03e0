import type { MigrationData, TableMapping } from '@strangler/contracts';
import { compileMapping } from './map.js';
import { shadowsOf } from './shadow-mappings.js';

/** One that reads rows of a source table, and what it says of their columns. */
type Reader = {
  /** The mapping, part or list itself. */
  readonly of: object;
  readonly from: string;
  readonly where: TableMapping['where'];
  readonly says: readonly string[];
};

function readersOf(mapping: TableMapping): readonly Reader[] {
  const { from, where, lookups = {}, lost = [], owned } = mapping;
  const asked = Object.values(lookups).map(({ column }) => column);
  return [
    {
      of: mapping,
      from,
      where,
      says: [...compileMapping(mapping).reads, ...asked, ...lost, ...(owned?.source ?? [])],
    },
    // What is looked up is looked up for what asks: its rows are not carried.
    ...shadowsOf(mapping).flatMap((shadow): readonly Reader[] => {
      const of = shadow.kind === 'part' ? shadow.part : shadow.kind === 'list' ? shadow.list : undefined;
      if (of === undefined) return [];
      const { reads } = compileMapping(shadow.mapping);
      return [{ of, from: of.from, where, says: [...reads, ...(of.lost ?? [])] }];
    }),
  ];
}

/**
 * Columns of a source table that others than `of` carry, or say to be lost, of all rows that `where` takes. `all` is what the plan reads of that database.
 */
export function carriedColumns(
  all: readonly MigrationData[],
  { of, from, where }: Omit<Reader, 'says'>,
): ReadonlySet<string> {
  return new Set(
    all
      .flatMap(({ tables }) => tables.flatMap(readersOf))
      .filter((reader) => reader.of !== of && reader.from === from)
      .filter((reader) => !reader.where || JSON.stringify(reader.where) === JSON.stringify(where))
      .flatMap(({ says }) => says),
  );
}
