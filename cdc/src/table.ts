import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { type Column, kindOf, labelsOf } from './column.js';
import type { Definition } from './definition.js';

/** A table as it stands: every column in order, and the names of its primary key in order. */
export type Table = {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** The storage engine in lower case, and whether the server keeps old versions of its rows. */
  readonly engine?: string;
  readonly isVersioned?: boolean;
  readonly isView?: boolean;
  /** Its name as the server has stored it, which may be of another case than the one it was asked for by. */
  readonly storedName?: string;
  /** Where it was asked for: what SHOW CREATE TABLE tells besides. */
  readonly definition?: Definition;
};

export const columnOf = (table: Table, name: string): Column | undefined =>
  table.columns.find((column) => column.name === name);

/** Undefined when there is no such table, or none that the account may see. */
export async function readTable(
  connection: Connection,
  database: string,
  name: string,
): Promise<Table | undefined> {
  const [columns] = await connection.query<RowDataPacket[]>(
    `SELECT COLUMN_NAME name, COLUMN_TYPE type, CHARACTER_SET_NAME charset, COLLATION_NAME collation, IS_NULLABLE nullable, COLUMN_DEFAULT fallback, EXTRA extra
       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [database, name],
  );
  if (columns.length === 0) return undefined;
  const [key] = await connection.query<RowDataPacket[]>(
    `SELECT COLUMN_NAME name FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' AND SUB_PART IS NULL ORDER BY SEQ_IN_INDEX`,
    [database, name],
  );
  const [kinds] = await connection.query<RowDataPacket[]>(
    'SELECT ENGINE engine, TABLE_TYPE type, TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, name],
  );
  return {
    database,
    name,
    engine: String(kinds[0]?.['engine'] ?? '').toLowerCase(),
    isVersioned: kinds[0]?.['type'] === 'SYSTEM VERSIONED',
    isView: kinds[0]?.['type'] === 'VIEW',
    storedName: String(kinds[0]?.['name'] ?? name),
    columns: columns.map((row) => {
      // The case of the labels of an ENUM matters, that of the type's name does not.
      const type = String(row['type']).replace(/^[A-Za-z0-9_]+/, (word) => word.toLowerCase());
      const charset = row['charset'] === null ? null : String(row['charset']);
      const extra = String(row['extra']).toLowerCase();
      const kind = kindOf(type, charset);
      return {
        name: String(row['name']),
        type,
        charset,
        collation: row['collation'] === null ? null : String(row['collation']),
        nullable: row['nullable'] === 'YES',
        hasDefault:
          row['fallback'] !== null || extra.includes('auto_increment') || extra.includes('default_generated'),
        generated: /\b(virtual|stored|persistent) generated\b|^(virtual|stored|persistent)\b/.test(extra),
        kind,
        labels: kind === 'enum' || kind === 'set' ? labelsOf(type) : [],
      };
    }),
    primaryKey: key.map((row) => String(row['name'])),
  };
}
