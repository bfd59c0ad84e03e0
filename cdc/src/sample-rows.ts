import type { Row } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { keyText } from './map.js';
import { isBehind, literal, quoted, readRows, tableName } from './sql.js';
import { columnOf, type Table } from './table.js';

/** Rows that are looked through for the least, greatest and longest values: half of them from either end of a longer table. */
const LOOKED_THROUGH = 50_000;
/** A column with no more different values has each of them among the rows. */
const FEW_VALUES = 50;

/**
 * Rows of a table in which a mapping may break: the first, the last and some at random by key, and of each column those with the least, the greatest, the longest
 * value, with NULL, and where it has few values one with each. Reads without locks, and of a long table its two ends.
 */
export async function sampleRows(
  connection: Connection,
  table: Table,
  names: readonly string[],
  count: number,
  random: () => number,
): Promise<readonly Row[]> {
  const key = table.primaryKey;
  const all = [...new Set([...key, ...names])];
  const rows = new Map<string, Row>();
  const read = async (rest: string): Promise<readonly Row[]> => {
    const found = await readRows(connection, table, all, rest);
    for (const row of found) rows.set(keyText(pick(row, key)), row);
    return found;
  };
  const by = (direction: 'ASC' | 'DESC') => key.map((name) => `${quoted(name)} ${direction}`).join(', ');
  const third = Math.ceil(count / 3);
  const [first] = await read(`ORDER BY ${by('ASC')} LIMIT ${third}`);
  const last = (await read(`ORDER BY ${by('DESC')} LIMIT ${third}`))[0];
  if (!first || !last) return [];

  const [name = ''] = key;
  if (key.length === 1 && columnOf(table, name)?.kind === 'integer') {
    const [least, most] = [BigInt(String(first[name])), BigInt(String(last[name]))];
    for (let each = 0; each < third; each++) {
      const at = least + BigInt(Math.floor(random() * Number(most - least + 1n)));
      await read(`WHERE ${quoted(name)} >= ${at} ORDER BY ${by('ASC')} LIMIT 1`);
    }
  }

  const within = await window(connection, table);
  for (const column of names) {
    const declared = columnOf(table, column);
    if (!declared || declared.kind === 'unsupported' || key.includes(column)) continue;
    const at = quoted(column);
    const [values] = await connection.query<RowDataPacket[]>(
      `SELECT COUNT(*) count FROM (SELECT DISTINCT ${at} FROM ${tableName(table)} WHERE ${within} LIMIT ${FEW_VALUES + 1}) few`,
    );
    if (Number(values[0]?.['count']) <= FEW_VALUES) {
      const different = await readRows(connection, table, [column], `WHERE ${within} GROUP BY ${at}`);
      for (const row of different) {
        const value = row[column] ?? null;
        await read(
          `WHERE ${within} AND ${at} ${value === null ? 'IS NULL' : `= ${literal(value, table, column)}`} LIMIT 1`,
        );
      }
      continue;
    }
    // NULL comes first.
    await read(`WHERE ${within} ORDER BY ${at} ASC LIMIT 1`);
    await read(`WHERE ${within} AND ${at} IS NOT NULL ORDER BY ${at} ASC LIMIT 1`);
    await read(`WHERE ${within} ORDER BY ${at} DESC LIMIT 1`);
    if (declared.kind === 'text') await read(`WHERE ${within} ORDER BY CHAR_LENGTH(${at}) DESC LIMIT 1`);
  }
  return [...rows.values()];
}

/** Both ends of a table that is too long to be looked through. */
async function window(connection: Connection, table: Table): Promise<string> {
  const key = table.primaryKey;
  const edge = async (direction: string): Promise<Row | undefined> => {
    const order = key.map((name) => `${quoted(name)} ${direction}`).join(', ');
    const [row] = await readRows(
      connection,
      table,
      key,
      `ORDER BY ${order} LIMIT 1 OFFSET ${LOOKED_THROUGH / 2}`,
    );
    return row;
  };
  const [low, high] = [await edge('ASC'), await edge('DESC')];
  return low && high ? `(NOT (${isBehind(low, key, table)}) OR (${isBehind(high, key, table)}))` : 'TRUE';
}

const pick = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
