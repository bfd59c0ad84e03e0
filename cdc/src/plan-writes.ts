import type { ChangeEvent, Row, StranglerError } from '@strangler/contracts';
import type { Write } from './compact.js';
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

/** What a change of a source row asks of its target. */
export function writesOf(pair: TablePair, change: ChangeEvent): readonly Write[] {
  const { before, after } = change;
  const from = before && pair.map.keyOf(before);
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
  return [
    isRekeyed
      ? { kind: 'rekey', pair, from, row: mapped.row, change }
      : { kind: 'upsert', pair, row: mapped.row, isNew: from === null, change },
  ];
}

/** What a row that was read, not logged, asks of its target. */
export function writeOfRow(pair: TablePair, row: Row): Write {
  const { database, name: table } = pair.source;
  const change: ChangeEvent = { operation: 'insert', database, table, before: null, after: row };
  const mapped = mapRow(pair, row);
  return 'error' in mapped
    ? { kind: 'unmapped', pair, key: pair.map.keyOf(row), change, error: mapped.error }
    : { kind: 'upsert', pair, row: mapped.row, change };
}
