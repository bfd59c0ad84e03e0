import type { ChangeEvent, Row } from '@strangler/contracts';
import { valueUnmapped } from './errors.js';
import { keyShown, keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';
import type { Write } from './write-rows.js';

/** Throws VALUE_UNMAPPED with table, key and column. */
export function mapRow(pair: TablePair, row: Row): MappedRow {
  const mapped = pair.map.map(row);
  if (mapped.ok) return mapped.row;
  throw valueUnmapped(pair.source.name, keyShown(pair.map.keyOf(row)), mapped.column, mapped.reason);
}

/** Adds what a change asks for to the writes before it; neighbours of one kind and table become one. */
export function addChange(writes: Write[], pair: TablePair, change: ChangeEvent): void {
  const { before, after } = change;
  if (after === null) {
    if (before) addDelete(writes, pair, pair.map.keyOf(before));
    return;
  }
  const row = mapRow(pair, after);
  const from = before === null ? row.key : pair.map.keyOf(before);
  if (keyText(from) === keyText(row.key)) addUpsert(writes, pair, [row]);
  else writes.push({ kind: 'rekey', pair, from, row });
}

export function addUpsert(writes: Write[], pair: TablePair, rows: readonly MappedRow[]): void {
  const last = writes.at(-1);
  if (last?.kind === 'upsert' && last.pair === pair) last.rows.push(...rows);
  else writes.push({ kind: 'upsert', pair, rows: [...rows] });
}

function addDelete(writes: Write[], pair: TablePair, key: Row): void {
  const last = writes.at(-1);
  if (last?.kind === 'delete' && last.pair === pair) last.keys.push(key);
  else writes.push({ kind: 'delete', pair, keys: [key] });
}
