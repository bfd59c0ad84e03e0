import type { Problem } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Database } from './connect.js';

/** Rows that a foreign key changes by itself are not in the log of any MariaDB, nor of MySQL before 9.6 (bugs.mysql.com, 32506). */
export async function checkCascades(
  connection: Connection,
  database: Database,
  tables: readonly string[],
): Promise<readonly Problem[]> {
  const [versions] = await connection.query<RowDataPacket[]>('SELECT VERSION() version');
  const version = String(versions[0]?.['version']);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [native] = await connection.query<RowDataPacket[]>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name = 'innodb_native_foreign_keys' AND Value = 'ON'",
  );
  const areLogged =
    !/mariadb/i.test(version) && (major > 9 || (major === 9 && minor >= 6)) && native.length === 0;
  if (tables.length === 0 || areLogged) return [];
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT CONSTRAINT_NAME name, TABLE_NAME child, REFERENCED_TABLE_NAME parent FROM information_schema.REFERENTIAL_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME IN (?) AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))`,
    [database.schema, tables],
  );
  return rows.map((row) => ({
    code: 'FOREIGN_KEY_CASCADES',
    path: `databases.${database.name}`,
    message: `foreign key "${String(row['name'])}" changes rows of "${String(row['child'])}" when "${String(row['parent'])}" changes, and the log does not say so`,
    remedy: 'let it RESTRICT, and let the application change these rows itself',
  }));
}
