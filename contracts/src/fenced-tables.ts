import type { Side } from './cutover.js';
import type { MigrationData } from './plan.js';

/**
 * The tables of a side that a fence guards: those that one of the streams writes. Of legacy those that rows come back to; a table that values are only looked up in is not one of them.
 * A table that both sides write has no fence.
 */
export function fencedTablesOf({ tables }: Pick<MigrationData, 'tables'>, side: Side): readonly string[] {
  const ofSide = (mapping: MigrationData['tables'][number]): readonly string[] =>
    side === 'service'
      ? [mapping.to, ...mapping.split.map(({ to }) => to)]
      : [
          mapping.from,
          ...(mapping.parts ?? []).map(({ from }) => from),
          ...Object.values(mapping.lists ?? {}).map(({ from }) => from),
        ];
  const isShared = ({ writers }: MigrationData['tables'][number]) => writers === 'both';
  const shared = new Set(tables.filter(isShared).flatMap(ofSide));
  return [...new Set(tables.flatMap(ofSide))].filter((table) => !shared.has(table)).toSorted();
}
