import type { Problem } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Database } from './connect.js';
import { readDefinition } from './definition.js';
import { quoted } from './sql.js';

/**
 * Rows that a foreign key changes by itself are not in the log of any MariaDB, nor of MySQL before 9.6 (bugs.mysql.com, 32506). Read from the tables'
 * definitions, because MariaDB shows foreign keys in information_schema only to accounts that may do more than SELECT.
 */
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
  if (areLogged) return [];
  const problems: Problem[] = [];
  for (const table of new Set(tables)) {
    const definition = await readDefinition(connection, database.schema, table);
    for (const { name, columns, references, parent, cascades } of definition?.foreignKeys ?? [])
      if (cascades)
        problems.push({
          code: 'FOREIGN_KEY_CASCADES',
          path: `databases.${database.name}`,
          message: `foreign key "${name}" changes rows of "${table}" when "${parent}" changes, and the log does not say so`,
          remedy: 'let it RESTRICT, and let the application change these rows itself',
          statements: [
            `ALTER TABLE ${quoted(database.schema, table)} DROP FOREIGN KEY ${quoted(name)}`,
            `ALTER TABLE ${quoted(database.schema, table)} ADD CONSTRAINT ${quoted(name)} FOREIGN KEY (${columns.map((column) => quoted(column)).join(', ')}) REFERENCES ${references}`,
          ],
        });
  }
  return problems;
}
