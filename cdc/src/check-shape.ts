import type { Problem, TableMapping } from '@strangler/contracts';
import { alterColumn } from './alter.js';
import { isTransactional, type MappedTables } from './check-tables.js';
import { alter } from './alter.js';
import { quoted } from './sql.js';
import { columnOf, type Table } from './table.js';

const isTable = (found: MappedTables['source']): found is Table => found !== undefined && found !== 'unknown';

/** What of the tables of a mapping works, and costs something some day. Pure. */
export function checkShape(
  mapping: TableMapping,
  { source, target, children }: MappedTables,
  path: string,
): readonly Problem[] {
  return [
    ...(isTable(source) ? ofSource(source, `${path}.from`) : []),
    ...[target, ...children]
      .filter(isTable)
      .flatMap((table) => ofTarget(table, table === target ? `${path}.to` : `${path}.split`)),
    ...(isTable(source) && isTable(target) ? timesOf(mapping, source, target, path) : []),
  ];
}

function ofSource(table: Table, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (table.engine && !table.isView && !isTransactional(table))
    problems.push({
      code: 'SOURCE_NOT_TRANSACTIONAL',
      path,
      message: `source table "${table.name}" is of engine "${table.engine}": what a crash or a broken statement leaves in it may not be in the log, or the other way round`,
      remedy: 'change its engine, or verify after each crash',
      statements: [alter(table, 'ENGINE = InnoDB')],
    });
  if (table.definition?.isPartitioned)
    problems.push({
      code: 'TABLE_PARTITIONED',
      path,
      message: `source table "${table.name}" is partitioned, and the flow stops when a partition is dropped, emptied or exchanged: its rows go without being logged`,
      remedy: 'delete rows in place of partitions while data flow',
    });
  return problems;
}

function ofTarget(table: Table, path: string): readonly Problem[] {
  const { checks = [], foreignKeys = [] } = table.definition ?? {};
  return [
    // Each JSON of MariaDB has one.
    ...checks
      .filter(({ expression }) => !/^json_valid\(`(?:[^`]|``)*`\)$/.test(expression))
      .map(({ name, expression }) => ({
        code: 'CHECK_CONSTRAINT',
        path,
        message: `constraint "${name}" of target table "${table.name}" refuses rows (${expression}): the keys of such rows are parked`,
        remedy: 'see that the mapping makes no such row',
      })),
    ...foreignKeys.map(({ name, columns, references, parentColumns }) => ({
      code: 'FOREIGN_KEY_UNCHECKED',
      path,
      message: `foreign key "${name}" of target table "${table.name}" is not checked, and does nothing, for rows that are copied`,
      remedy: 'look for rows without a parent before the service writes',
      statements: [orphans(table, columns, references, parentColumns)],
    })),
  ];
}

function orphans(
  table: Table,
  columns: readonly string[],
  references: string,
  parentColumns: readonly string[],
): string {
  const parent = references.slice(0, references.lastIndexOf(' ('));
  const pairs = columns.map(
    (name, index) => [`child.${quoted(name)}`, `parent.${quoted(parentColumns[index] ?? '')}`] as const,
  );
  const own = parent.includes('.') ? parent : `${quoted(table.database)}.${parent}`;
  return `SELECT child.* FROM ${quoted(table.database, table.name)} child LEFT JOIN ${own} parent ON ${pairs.map((pair) => pair.join(' = ')).join(' AND ')} WHERE ${pairs.map(([child]) => `${child} IS NOT NULL`).join(' AND ')} AND ${pairs[0]?.[1]} IS NULL LIMIT 10`;
}

/** A TIMESTAMP is a moment, a DATETIME what a clock showed: copied from one to the other it is what a clock showed in UTC. */
function timesOf(mapping: TableMapping, source: Table, target: Table, path: string): readonly Problem[] {
  return [...Object.entries(mapping.key), ...Object.entries(mapping.columns)].flatMap(([name, rule]) => {
    const isZoned = typeof rule !== 'string' && 'utc' in rule;
    const from = isZoned ? rule.utc : rule;
    const given = typeof from === 'string' ? columnOf(source, from) : undefined;
    const taken = columnOf(target, name);
    if (!given || !taken) return [];
    const known = { code: 'COLUMN_TIME_ZONE', path: `${path}.columns.${name}` };
    if (isZoned && given.kind === 'timestamp')
      return {
        ...known,
        message: `column "${given.name}" of source table "${source.name}" is a TIMESTAMP, which is UTC already, and "utc" would move it`,
        remedy: `write "${name}: ${given.name}"`,
      };
    if (isZoned || !CLOCKS.has(given.kind) || !CLOCKS.has(taken.kind) || given.kind === taken.kind) return [];
    return given.kind === 'timestamp'
      ? {
          ...known,
          message: `column "${name}" of target table "${target.name}" is a DATETIME and gets the moments of a TIMESTAMP as a clock in UTC shows them`,
          remedy: 'see that the service reads it as UTC, or make it a TIMESTAMP',
          statements: alterColumn(target, taken, (rest) => `${given.type}${rest}`),
        }
      : {
          ...known,
          message: `column "${given.name}" of source table "${source.name}" is a DATETIME, and becomes the moment at which a clock in UTC shows it`,
          remedy: `write "${name}: { utc: ${given.name}, zone: Europe/Berlin }" with the zone that the monolith writes in, unless that is UTC`,
        };
  });
}
const CLOCKS: ReadonlySet<string> = new Set(['datetime', 'timestamp']);
