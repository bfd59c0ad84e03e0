import { fencedTablesOf, type Plan, type Side, SIDES } from '@strangler/contracts';
import { fenceShared } from '../errors.js';
import { type Unit, unitOf } from '../transition/unit.js';

/** Tables of one database that change sides together. */
export type FencePlace = {
  readonly database: string;
  readonly side: Side;
  readonly tables: readonly string[];
};

/** Where the fences of a unit stand; none for a unit that moves no data. Throws FENCE_SHARED where a table changes sides with another unit too. */
export function fencePlacesOf(plan: Plan, unit: Unit): readonly FencePlace[] {
  const places = placesOf(plan, unit);
  for (const other of Object.keys(plan.migrations)) {
    if (unit.members.includes(other)) continue;
    const theirs = placesOf(plan, { name: other, members: [other] });
    for (const { database, tables } of places) {
      const both = tables.find((table) =>
        theirs.some((place) => place.database === database && place.tables.includes(table)),
      );
      if (both !== undefined) throw fenceShared(both, database, unit.name, unitOf(plan, other).name);
    }
  }
  return places;
}

function placesOf(plan: Plan, { members }: Unit): readonly FencePlace[] {
  const places = new Map<string, { database: string; side: Side; tables: Set<string> }>();
  for (const side of SIDES)
    for (const member of members) {
      const data = plan.migrations[member]?.data;
      if (data === undefined) continue;
      const database = side === 'legacy' ? data.from : data.to;
      const place = places.get(database) ?? { database, side, tables: new Set<string>() };
      for (const table of fencedTablesOf(data, side)) place.tables.add(table);
      if (place.tables.size > 0) places.set(database, place);
    }
  return [...places.values()].map((place) => ({ ...place, tables: [...place.tables].toSorted() }));
}
