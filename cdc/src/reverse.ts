import { conflictsOf, type MigrationData, type TableMapping, waysBack } from '@strangler/contracts';

/** A mapping the other way round: its source is the target of `backOf`. No plan can say it, only be turned into it. */
export type ReversedMapping = TableMapping & { readonly backOf: TableMapping };

export const isReversed = (mapping: TableMapping): mapping is ReversedMapping => 'backOf' in mapping;

const turned = (side: 'source' | 'target'): 'source' | 'target' => (side === 'source' ? 'target' : 'source');

/**
 * A mapping as the stream back reads it. Its `columns` only name what each source column comes from; what they are made by are the ways back of
 * the rules of `backOf`. Elements of a split cannot be put together without other rows.
 */
export function reverseOf(mapping: TableMapping): ReversedMapping {
  const ways = waysBack(mapping);
  const sourceOf = (target: string): string =>
    ways.find(({ from, gives }) => from.length === 1 && from[0] === target && gives.length === 1)?.gives[0] ??
    target;
  const { conflicts } = mapping;
  const back = conflicts && conflictsOf(conflicts);
  return {
    from: mapping.to,
    to: mapping.from,
    key: Object.fromEntries(Object.entries(mapping.key).map(([target, source]) => [source, target])),
    columns: Object.fromEntries(
      ways.toReversed().flatMap(({ gives, from }) => gives.map((name) => [name, from[0] ?? name])),
    ),
    split: [],
    writers: mapping.writers,
    ...(back
      ? {
          conflicts: {
            ...back,
            authority: turned(back.authority),
            ...(back.version === undefined ? {} : { version: sourceOf(back.version) }),
            columns: Object.fromEntries(
              Object.entries(back.columns).map(([target, rule]) => [
                sourceOf(target),
                rule === 'additive' ? rule : turned(rule),
              ]),
            ),
          },
        }
      : {}),
    backOf: mapping,
  };
}

/** What a stream back carries, by what the one there does. A TRUNCATE on that side stops it. */
export const reversedData = (data: MigrationData): MigrationData => ({
  from: data.to,
  to: data.from,
  chunkRows: data.chunkRows,
  tables: data.tables.map(reverseOf),
});
