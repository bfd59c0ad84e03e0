import type { Problem, TableMapping } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { alterColumn } from './alter.js';
import { type Column, baseTypeOf } from './column.js';
import { firstThatRuns } from './server-settings.js';
import type { Side } from './sides.js';
import { columnOf, type Table } from './table.js';

const BITS: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};
/** Share of the numbers of a type from which on it is told. */
const SCARCE = 80n;

/** The largest number that a column of whole numbers takes. */
export function largestOf({ type }: Column): bigint | undefined {
  const bits = BITS[baseTypeOf(type)];
  return bits === undefined ? undefined : (1n << BigInt(bits - (type.includes('unsigned') ? 0 : 1))) - 1n;
}

export function smallestOf(column: Column): bigint | undefined {
  const largest = largestOf(column);
  if (largest === undefined || column.type.includes('unsigned')) return largest && 0n;
  return -largest - 1n;
}

/** Whether the keys that the source counts will go on fitting, there and in the target. */
export async function checkHeadRoom(
  side: Side,
  mapping: TableMapping,
  source: Table,
  target: Table,
  path: string,
): Promise<readonly Problem[]> {
  // Else MySQL tells what it was at some time of the day.
  await firstThatRuns(side.connection, 'SET SESSION information_schema_stats_expiry = 0');
  const [rows] = await side.connection.query<RowDataPacket[]>(
    'SELECT AUTO_INCREMENT next FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND AUTO_INCREMENT IS NOT NULL',
    [source.database, source.name],
  );
  const [counted] =
    [...(source.definition?.columns ?? [])].find(([, text]) => /\bAUTO_INCREMENT\b/.test(text)) ?? [];
  if (rows.length === 0 || counted === undefined) return [];
  const next = BigInt(String(rows[0]?.['next']));
  const [taken] =
    Object.entries({ ...mapping.columns, ...mapping.key }).find(([, rule]) => rule === counted) ?? [];
  const places: readonly (readonly [string, Table, Column | undefined])[] = [
    ['source', source, columnOf(source, counted)],
    ['target', target, taken === undefined ? undefined : columnOf(target, taken)],
  ];
  return places.flatMap(([which, table, column]): Problem[] => {
    const largest = column && largestOf(column);
    if (!column || largest === undefined || next * 100n < largest * SCARCE) return [];
    const wider = `bigint${column.type.includes('unsigned') ? ' unsigned' : ''}`;
    return [
      {
        code: 'KEY_HEAD_ROOM',
        path: which === 'source' ? `${path}.from` : `${path}.to`,
        message: `the next "${counted}" of source table "${source.name}" is ${next}, and column "${column.name}" of ${which} table "${table.name}" (${column.type}) ends at ${largest}`,
        remedy: 'widen it',
        statements:
          largest === undefined || baseTypeOf(column.type) === 'bigint'
            ? []
            : alterColumn(table, column, (rest) => `${wider}${rest}`),
      },
    ];
  });
}
