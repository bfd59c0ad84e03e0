import type { ChangeEvent, Row } from '@strangler/contracts';
import type { Write } from './compact.js';
import { valueUnmapped } from './errors.js';
import { keyShown, keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';

/** Throws VALUE_UNMAPPED with table, key and column. */
export function mapRow(pair: TablePair, row: Row): MappedRow {
  const mapped = pair.map.map(row);
  if (mapped.ok) return mapped.row;
  throw valueUnmapped(pair.source.name, keyShown(pair.map.keyOf(row)), mapped.column, mapped.reason);
}

/** What a change of a source row asks of its target. Throws VALUE_UNMAPPED. */
export function writeOf(pair: TablePair, { before, after }: ChangeEvent): Write {
  const from = before && pair.map.keyOf(before);
  if (after === null) return { kind: 'delete', pair, key: from ?? {} };
  const row = mapRow(pair, after);
  return from === null || keyText(from) === keyText(row.key)
    ? { kind: 'upsert', pair, row }
    : { kind: 'rekey', pair, from, row };
}
