import type { Problem, TableMapping } from '@strangler/contracts';
import { StranglerError } from '@strangler/contracts';
import { binlogSource } from './binlog-source.js';
import { hasTables } from './check-database.js';
import type { ColumnKind } from './column.js';
import { controlSchemaOf } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { testEcho } from './echo-self-test.js';
import type { Side } from './sides.js';
import { columnOf, type Table } from './table.js';

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
 * Whether the log of a database that both sides write tells our writes from those of others. Tried where our control tables are there already: it writes one
 * row of its own into each of two of them.
 */
export async function checkEcho(
  { database, connection }: Pick<Side, 'database' | 'connection'>,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const tables = { ...SOURCE_TABLES, ...TARGET_TABLES };
  if (!(await hasTables(connection, controlSchemaOf(database), tables))) return [];
  try {
    const sourceOf = (captured: Parameters<typeof binlogSource>[0]['tables']) =>
      binlogSource({ database, tables: captured });
    await testEcho({ stream: 'check', target: database, sourceOf }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof StranglerError)) throw error;
    const path = `databases.${database.name}`;
    return [{ code: error.code, path, message: error.message, remedy: 'correct it, then check again' }];
  }
}
