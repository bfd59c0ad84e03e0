import type { Problem, TableMapping } from '@strangler/contracts';
import { placeOf } from './check-assembly.js';
import { keyTextOf, within } from './check-row-doubts.js';
import { uniquesOf } from './check-uniques.js';
import { shadowsOf } from './shadow-mappings.js';
import type { Side } from './sides.js';
import { quoted, tableName } from './sql.js';
import { columnOf, type Table } from './table.js';

type Found = Table | undefined | 'unknown';

/** Milliseconds for one table: what takes longer is found when it is copied, and parked. */
const GROUPS_MS = 5_000;

/** Two rows of a table of which at most one may belong to a row of the target. Asked only where no unique key of the source keeps them apart. `others` by name. */
export async function checkAmbiguity(
  side: Side,
  mapping: TableMapping,
  others: ReadonlyMap<string, Found>,
  path: string,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const shadow of shadowsOf(mapping)) {
    if (shadow.kind !== 'part' && shadow.kind !== 'lookup') continue;
    const table = others.get(shadow.mapping.from);
    const names = Object.values(shadow.mapping.key);
    if (!table || table === 'unknown' || table.isView || table.primaryKey.length === 0) continue;
    if (!names.every((name) => columnOf(table, name))) continue;
    const uniques = await uniquesOf(side, table);
    if (uniques.some(({ columns, isOfBeginnings }) => !isOfBeginnings && isWithin(columns, names))) continue;

    const place = `${path}${placeOf(mapping, shadow)}`;
    const list = names.map((name) => quoted(name));
    const key = keyTextOf(table);
    const text = `SELECT MIN(${key}) AS \`first\`, MAX(${key}) AS \`last\` FROM ${tableName(table)} WHERE ${list.map((name) => `${name} IS NOT NULL`).join(' AND ')} GROUP BY ${list.join(', ')} HAVING COUNT(*) > 1 LIMIT 1`;
    const row = await within(side.connection, GROUPS_MS, text);
    if (row === undefined)
      problems.push({
        code: 'ROWS_SAMPLED',
        path: place,
        message: `of source table "${table.name}" no rows were compared by ${shown(names)}, because that takes longer than ${GROUPS_MS} ms`,
        remedy: 'look for them when the monolith is quiet',
        statements: [text],
      });
    else if (row !== null)
      problems.push({
        code: 'PART_AMBIGUOUS',
        path: place,
        message: `rows "${String(row['first'])}" and "${String(row['last'])}" of source table "${table.name}" have the same ${shown(names)}, and only one of them can ${shadow.kind === 'part' ? `belong to a row of target table "${mapping.to}"` : `be what "${shadow.column}" is looked up in`}: which one would be chance`,
        remedy:
          shadow.kind === 'part'
            ? 'take one of them away and keep them apart by a unique key, or give the table a mapping of its own; this finds the next'
            : 'take one of them away and keep them apart by a unique key, or look up by another column; this finds the next',
        statements: [text],
      });
  }
  return problems;
}

const isWithin = (some: readonly string[], all: readonly string[]): boolean =>
  some.every((name) => all.includes(name));
const shown = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
