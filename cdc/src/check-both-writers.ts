import type { Problem, TableMapping } from '@strangler/contracts';
import { StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { binlogSource } from './binlog-source.js';
import { checkLog, hasTables, missingPrivileges, sourceNeeds, targetNeeds } from './check-database.js';
import type { ColumnKind } from './column.js';
import { controlSchemaOf, type Database } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { testEcho } from './echo-self-test.js';
import { readGrants } from './grants.js';
import { columnOf, type Table } from './table.js';

type Side = { readonly database: Database; readonly connection: Connection };

const NUMBERS: ReadonlySet<ColumnKind> = new Set(['integer', 'decimal'] as const);

/** What conflicts ask of the columns of a target. Pure. */
export function checkConflictColumns(
  { writers, conflicts }: TableMapping,
  target: Table,
  path: string,
): readonly Problem[] {
  if (writers !== 'both' || !conflicts) return [];
  const wrong = (name: string, kinds: ReadonlySet<ColumnKind>, wanted: string, place: string): Problem[] => {
    const column = columnOf(target, name);
    return !column || kinds.has(column.kind)
      ? []
      : [
          {
            code: 'COLUMN_TYPE',
            path: `${path}.conflicts.${place}`,
            message: `column "${name}" of target table "${target.name}" is a "${column.type}", which is no ${wanted}`,
            remedy: `name a column that is one`,
          },
        ];
  };
  return [
    ...Object.entries(conflicts.columns).flatMap(([name, rule]) =>
      rule === 'additive' ? wrong(name, NUMBERS, 'exact number', `columns.${name}`) : [],
    ),
    ...(conflicts.version === undefined
      ? []
      : wrong(conflicts.version, new Set(['integer']), 'whole number', 'version')),
  ];
}

/**
 * What else is needed where both sides write a table: each is source and target at once, so its log has to be readable and our account needs the privileges of both.
 * Where our control tables are there already, the echo self-test is done, which writes one row of its own into each of two of them.
 */
export async function checkBothWriters(
  side: Side,
  tables: readonly string[],
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const { database, connection } = side;
  const path = `databases.${database.name}`;
  const schema = controlSchemaOf(database);
  const all = { ...SOURCE_TABLES, ...TARGET_TABLES };
  const isReady = await hasTables(connection, schema, all);
  const problems = [
    ...(await checkLog(connection, path)),
    ...missingPrivileges(
      await readGrants(connection),
      [...sourceNeeds(database, tables, !isReady), ...targetNeeds(database, tables, !isReady)],
      path,
    ),
  ];
  if (problems.length > 0 || !isReady) return problems;
  try {
    const sourceOf = (captured: Parameters<typeof binlogSource>[0]['tables']) =>
      binlogSource({ database, tables: captured });
    await testEcho({ stream: 'check', target: database, sourceOf }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof StranglerError)) throw error;
    return [{ code: error.code, path, message: error.message, remedy: 'correct it, then check again' }];
  }
}
