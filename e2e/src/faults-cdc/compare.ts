import type { Connection } from 'mysql2/promise';
import { rowsOf } from './stand.js';

/**
 * The mapping once more, in plain SQL: what each table of the target has to hold, as the source prints it. Nothing of it is taken from sync. All
 * dates lie in winter, so that an hour is all there is between them.
 */
const PAIRS = [
  {
    name: 'holder',
    expected: `SELECT id, code, name, CASE state WHEN 'A' THEN 'active' WHEN 'B' THEN 'blocked' WHEN 'C' THEN 'closed' END status, CAST(price * 100 AS SIGNED) minor,
      opened - INTERVAL 1 HOUR opened, COALESCE(is_open, 1) is_open, 'legacy' origin, amount, version, note, 'kept' own FROM account`,
    actual: `SELECT holder_id, sku, title, status, price_minor, opened_at, is_open, origin, amount, version, note, own FROM holder`,
  },
  {
    name: 'holder_tag',
    expected: `SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY n) - 1 place, TRIM(tag) tag FROM account,
      JSON_TABLE(CONCAT('["', REPLACE(tags, ',', '","'), '"]'), '$[*]' COLUMNS (n FOR ORDINALITY, tag VARCHAR(60) PATH '$')) list WHERE TRIM(tag) <> ''`,
    actual: `SELECT holder_id, position, tag FROM holder_tag`,
  },
  {
    name: 'safe',
    expected: `SELECT region, slot, amount, version FROM vault`,
    actual: `SELECT area, slot, amount, version FROM safe`,
  },
  {
    name: 'posting',
    expected: `SELECT id, account_id, writer, serial, MD5(pad) pad FROM entry`,
    actual: `SELECT id, holder_id, writer, serial, MD5(pad) pad FROM posting`,
  },
] as const;

const SHOWN = 5;

/** Rows that the target lacks or has too many. */
export async function compare(source: Connection, target: Connection): Promise<readonly string[]> {
  const differences: string[] = [];
  for (const { name, expected, actual } of PAIRS) {
    const texts = async (connection: Connection, sql: string) =>
      (await rowsOf(connection, sql)).map((row) =>
        JSON.stringify(Object.values(row as Readonly<Record<string, string | number | null>>).map(printed)),
      );
    const rest = new Set(await texts(target, actual));
    const missing = (await texts(source, expected)).filter((row) => !rest.delete(row));
    differences.push(
      ...shown(missing).map((row) => `${name} lacks ${row}`),
      ...shown([...rest]).map((row) => `${name} should not have ${row}`),
    );
  }
  return differences;
}

const printed = (value: string | number | null): string | null => (value === null ? null : String(value));
const shown = (rows: readonly string[]): readonly string[] =>
  rows.length <= SHOWN ? rows : [...rows.slice(0, SHOWN), `and ${rows.length - SHOWN} rows more`];
