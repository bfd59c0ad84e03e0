import type { MigrationData, Side } from '@strangler/contracts';

/** A key column of the side that is to write, and the columns of the other side whose numbers come there. */
export type IdPair = {
  readonly table: string;
  readonly column: string;
  readonly others: readonly { readonly table: string; readonly column: string }[];
};

/** Key columns that the side `to` might number by itself. A table that both sides write is numbered by neither alone. */
export function idPairsOf({ tables }: Pick<MigrationData, 'tables'>, to: Side): readonly IdPair[] {
  const pairs = new Map<string, IdPair>();
  for (const mapping of tables) {
    if (mapping.writers === 'both') continue;
    for (const [target, source] of Object.entries(mapping.key)) {
      const service = { table: mapping.to, column: target };
      const legacy = { table: mapping.from, column: source };
      const [own, other] = to === 'service' ? [service, legacy] : [legacy, service];
      const place = JSON.stringify(own);
      const others = pairs.get(place)?.others ?? [];
      pairs.set(place, { ...own, others: [...others, other] });
    }
  }
  return [...pairs.values()];
}
