import { conflictsOf, type PartRule, type TableMapping, waysBack } from '@strangler/contracts';

/** A mapping the other way round: its source is the target of `backOf`. No plan can say it, only be turned into it. */
export type ReversedMapping = TableMapping & {
  readonly backOf: TableMapping;
  /** What columns hold where there is no row to come back. */
  readonly absent?: PartRule['absent'];
  readonly parts?: readonly ReversedPart[] | undefined;
};
/** Another table of the target with columns of the same source row. */
export type ReversedPart = PartRule & { readonly reversed: ReversedMapping };

export const isReversed = (mapping: TableMapping): mapping is ReversedMapping => 'backOf' in mapping;

const turned = (side: 'source' | 'target'): 'source' | 'target' => (side === 'source' ? 'target' : 'source');

const turnedRound = (names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).map(([a, b]) => [b, a]));

/**
 * A mapping as the stream back reads it. Its `columns` only name what each source column comes from; what they are made by are the ways back of
 * the rules of `backOf`. A split comes back as a list and a list as a split; for what needs other mappings see `reversedData`.
 */
export function reverseOf(mapping: TableMapping): ReversedMapping {
  const ways = waysBack(mapping);
  const sourceOf = (target: string): string =>
    ways.find(({ from, gives }) => from.length === 1 && from[0] === target && gives.length === 1)?.gives[0] ??
    target;
  const { conflicts, lists = {} } = mapping;
  const key = turnedRound(mapping.key);
  const isWritten = (name: string) => !(name in key) && mapping.owned?.source.includes(name) !== true;
  const columns = Object.fromEntries(
    ways
      .toReversed()
      .flatMap(({ gives, from }) => gives.filter(isWritten).map((name) => [name, from[0] ?? name] as const)),
  );
  const split = mapping.split.filter(({ column }) => isWritten(column) && !(column in columns));
  const back = conflicts && conflictsOf(conflicts);
  return {
    from: mapping.to,
    to: mapping.from,
    key,
    columns,
    split: Object.entries(lists).map(([column, list]) => ({
      to: list.from,
      column,
      separator: list.separator,
      key: turnedRound(list.key),
      item: list.item,
      ...(list.order === list.item ? {} : { position: list.order }),
    })),
    ...(split.length === 0
      ? {}
      : {
          lists: Object.fromEntries(
            split.map(({ to, column, key: parent, item, position, separator }) => [
              column,
              { from: to, key: turnedRound(parent), item, order: position ?? item, separator, absent: null },
            ]),
          ),
        }),
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
