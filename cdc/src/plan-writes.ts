import type { ChangeEvent, Offset, Row, StranglerError } from '@strangler/contracts';
import type { MergeWrite, Write } from './compact.js';
import { valueUnmapped } from './errors.js';
import { keyShown, keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';

/** A row by the mapping, or VALUE_UNMAPPED with table, key and column. */
export function mapRow(
  pair: TablePair,
  row: Row,
): { readonly row: MappedRow } | { readonly error: StranglerError } {
  const mapped = pair.map.map(row);
  return mapped.ok
    ? { row: mapped.row }
    : {
        error: valueUnmapped(pair.source.name, keyShown(pair.map.keyOf(row)), mapped.column, mapped.reason),
      };
}

/** What a change of a source row asks of its target. A row that leaves what the mapping takes is deleted there, one that enters it is new. */
export function writesOf(pair: TablePair, change: ChangeEvent, seen?: Offset): readonly Write[] {
  const taken = (row: Row | null) => (row && pair.map.takes(row) ? row : null);
  const [before, after] = [taken(change.before), taken(change.after)];
  if (before === null && after === null) return [];
  const from = before && pair.map.keyOf(before);
  if (pair.merge && after === null) return [mergeOf(pair, change, seen, before, null)];
  if (after === null) return [{ kind: 'delete', pair, key: from ?? {}, change }];
  const mapped = mapRow(pair, after);
  const key = pair.map.keyOf(after);
  const isRekeyed = from !== null && keyText(from) !== keyText(key);
  if ('error' in mapped) {
    const { error } = mapped;
    return (isRekeyed ? [from, key] : [key]).map((each) => ({
      kind: 'unmapped',
      pair,
      key: each,
      change,
      error,
    }));
  }
  if (pair.merge)
    return isRekeyed
      ? [mergeOf(pair, change, seen, before, null), mergeOf(pair, change, seen, null, after)]
      : [mergeOf(pair, change, seen, before, after)];
  return [
    isRekeyed
      ? { kind: 'rekey', pair, from, row: mapped.row, change }
      : { kind: 'upsert', pair, row: mapped.row, isNew: from === null, change },
  ];
}

/** Of a row that could not be mapped the target had nothing. */
function mergeOf(
  pair: TablePair,
  change: ChangeEvent,
  seen: Offset | undefined,
  before: Row | null,
  after: Row | null,
): MergeWrite {
  const mapped = (row: Row | null) => {
    const image = row && mapRow(pair, row);
    return image && 'row' in image ? image.row : null;
  };
  const key = pair.map.keyOf((after ?? before) as Row);
  return { kind: 'merge', pair, key, before: mapped(before), row: mapped(after), seen, change };
}

/** A row of the source that was read and not logged, or that has none; with `isAnswer` one that says again what the source owns. */
export function mergeOfRow(
  pair: TablePair,
  key: Row,
  row: Row | null,
  seen: Offset | undefined,
  isAnswer = false,
): MergeWrite {
  const mapped = row && mapRow(pair, row);
  const image = mapped && 'row' in mapped ? mapped.row : null;
  return { kind: 'merge', pair, key, before: undefined, row: image, seen, isAnswer };
}

/** What a row that was read, not logged, asks of its target. */
export function writeOfRow(pair: TablePair, row: Row, seen?: Offset): Write {
  const { database, name: table } = pair.source;
  const change: ChangeEvent = { operation: 'insert', database, table, before: null, after: row };
  const mapped = mapRow(pair, row);
  if ('error' in mapped)
    return { kind: 'unmapped', pair, key: pair.map.keyOf(row), change, error: mapped.error };
  return pair.merge
    ? { kind: 'merge', pair, key: mapped.row.key, before: undefined, row: mapped.row, seen, change }
    : { kind: 'upsert', pair, row: mapped.row, change };
}
