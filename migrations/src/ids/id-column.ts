import type { Connection } from 'mysql2/promise';
import { isMariaDb, quoted, rowsOf } from '../fence/fence-database.js';

/** A numbered column as it stands now. */
export type IdColumn = {
  /** One more than the greatest of its rows; 1 without any. */
  readonly behindRows: bigint;
  /** What the counter gives out next, which may be far behind the rows: numbers of rows that were rolled back or deleted do not come again. Null for a column that does not count. */
  readonly counter: bigint | null;
  /** The greatest number of its type. */
  readonly most: bigint;
};

const BITS: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};

/** Null for a column that is not there or holds no whole numbers. */
export async function readIdColumn(
  connection: Connection,
  schema: string,
  table: string,
  column: string,
): Promise<IdColumn | null> {
  // MySQL else tells a counter of up to a day ago.
  if (!(await isMariaDb(connection))) await connection.query('SET information_schema_stats_expiry = 0');
  const [row] = await rowsOf(
    connection,
    `SELECT c.DATA_TYPE type, c.COLUMN_TYPE definition, c.EXTRA extra, CAST(t.AUTO_INCREMENT AS CHAR) counter
       FROM information_schema.COLUMNS c
       JOIN information_schema.TABLES t
      WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? AND c.COLUMN_NAME = ? AND t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ?`,
    // By values, not by each other: MariaDB else opens every table there is.
    [schema, table, column, schema, table],
  );
  const bits = BITS[String(row?.['type']).toLowerCase()];
  if (row === undefined || bits === undefined) return null;
  const [highest] = await rowsOf(
    connection,
    `SELECT CAST(COALESCE(MAX(${quoted(column)}), 0) AS CHAR) id FROM ${quoted(schema, table)}`,
  );
  const behindRows = BigInt(String(highest?.['id'])) + 1n;
  const isCounter = String(row['extra']).toLowerCase().includes('auto_increment');
  const isUnsigned = /\bunsigned\b/i.test(String(row['definition']));
  return {
    behindRows: behindRows < 1n ? 1n : behindRows,
    counter: isCounter ? BigInt(String(row['counter'] ?? '1')) : null,
    most: 2n ** BigInt(isUnsigned ? bits : bits - 1) - 1n,
  };
}
