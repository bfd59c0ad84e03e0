import type { ColumnRule, Problem, TableMapping } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { checkDoubts } from './check-constraints.js';
import type { DoubtfulUnique } from './check-uniques.js';
import { type Doubt, doubtsOf } from './row-doubts.js';
import { firstThatRuns, isMariaDb } from './server-settings.js';
import type { Side } from './sides.js';
import { quoted, tableName } from './sql.js';
import { columnOf, type Table } from './table.js';

export type RowLimits = {
  /** Milliseconds that one statement over all rows of a table may take. */
  readonly rowsMs: number;
  /** Rows at either end of the primary key that are looked at where that is not enough. */
  readonly sampleRows: number;
};
/** For the rows at both ends. */
const SAMPLE_MS = 10_000;
const TIMED_OUT = new Set([1969, 3024]);

type Doubted = Doubt & {
  /** Columns of the source that the condition names. */
  readonly reads: readonly string[];
  /** Where in the mapping it is found. */
  readonly place: string;
};

/** Looks at the rows themselves for what the target would refuse, for a bounded time and without a lock: in one statement a table, and one for each doubtful unique key. */
export async function checkRowDoubts(
  { connection }: Side,
  mapping: TableMapping,
  [source, target]: readonly [Table, Table],
  uniques: readonly DoubtfulUnique[],
  limits: RowLimits,
  path: string,
): Promise<readonly Problem[]> {
  const checks = await understood(connection, source, checkDoubts(mapping, source, target));
  const doubts: readonly Doubted[] = [
    ...doubtsAbout(mapping, source, target),
    ...checks.map((doubt) => ({ ...doubt, place: 'to' })),
  ];
  const problems: Problem[] = [];
  const known = { path: `${path}.from`, remedy: 'look for them when the monolith is quiet' };
  if (doubts.length > 0) {
    const counted = selectOf(doubts, source);
    let row = await within(connection, limits.rowsMs, `${counted} FROM ${tableName(source)}`);
    if (row === undefined) {
      row = await within(connection, SAMPLE_MS, `${counted} FROM ${ends(doubts, source, limits.sampleRows)}`);
      problems.push({
        ...known,
        code: 'ROWS_SAMPLED',
        message: `of source table "${source.name}" ${row === undefined ? 'no row was looked at' : `only the first and the last ${limits.sampleRows} rows were looked at`}, because more takes longer than ${limits.rowsMs} ms`,
        statements: [
          `SELECT ${keyNames(source)} FROM ${tableName(source)} WHERE ${doubts.map(({ condition }) => `(${condition})`).join(' OR ')} LIMIT 100`,
        ],
      });
    }
    for (const [index, { code, condition, message, statements, place, reads }] of doubts.entries()) {
      const count = Number(row?.[`n${index}`] ?? 0);
      if (count === 0) continue;
      const list = `SELECT ${keyNames(source)} FROM ${tableName(source)} WHERE ${condition} LIMIT 100`;
      problems.push({
        code,
        path: `${path}.${place}`,
        message: `${count === 1 ? '1 row' : `${count} rows`} of source table "${source.name}", "${String(row?.[`k${index}`])}" among them, ${count === 1 ? 'has' : 'have'} in ${reads.map((name) => `"${name}"`).join(', ')} ${message}`,
        remedy: statements.length > 0 ? 'let the target take them' : 'correct them; this lists them',
        statements: statements.length > 0 ? statements : [list],
      });
    }
  }

  for (const unique of uniques) {
    const text = collisions(unique, source, target);
    if (text === undefined) continue;
    const row = await within(connection, limits.rowsMs, text);
    if (row === undefined)
      problems.push({
        ...known,
        code: 'ROWS_SAMPLED',
        message: `of source table "${source.name}" no rows were compared by unique key "${unique.name}" of the target, because that takes longer than ${limits.rowsMs} ms`,
        statements: [text],
      });
    else if (row !== null)
      problems.push({
        code: 'ROWS_COLLIDE',
        path: `${path}.to`,
        message: `rows "${String(row['first'])}" and "${String(row['last'])}" of source table "${source.name}" are one by unique key "${unique.name}" of target table "${target.name}": one of them would be parked`,
        remedy: 'correct one of them, or drop the key while data flow; this finds the next',
        statements: [text],
      });
  }
  return problems;
}

/** Those that the source's server can be asked: a constraint may use what only the target's has. */
async function understood<T extends Doubt>(
  connection: Connection,
  source: Table,
  doubts: readonly T[],
): Promise<readonly T[]> {
  const known: T[] = [];
  for (const doubt of doubts) {
    const asked = await firstThatRuns(
      connection,
      `SELECT 1 FROM ${tableName(source)} WHERE ${doubt.condition} LIMIT 0`,
    );
    if (asked) known.push(doubt);
  }
  return known;
}

function doubtsAbout(mapping: TableMapping, source: Table, target: Table): readonly Doubted[] {
  const rules: readonly (readonly [string, ColumnRule])[] = [
    ...Object.entries(mapping.key),
    ...Object.entries(mapping.columns),
  ];
  return rules.flatMap(([name, rule]) => {
    const from =
      typeof rule === 'string'
        ? rule
        : 'utc' in rule
          ? rule.utc
          : 'enum' in rule
            ? rule.enum
            : 'minor' in rule
              ? rule.minor
              : '';
    const [given, taken] = [columnOf(source, from), columnOf(target, name)];
    return given && taken && !taken.generated
      ? doubtsOf(rule, given, taken, target).map((doubt) => ({
          ...doubt,
          reads: [given.name],
          place: `columns.${name}`,
        }))
      : [];
  });
}

const keyNames = (table: Table): string => table.primaryKey.map((name) => quoted(name)).join(', ');
/** The primary key of a row, as SQL that prints it. */
export const keyTextOf = (table: Table): string =>
  `CONCAT_WS(',', ${table.primaryKey.map((name) => (columnOf(table, name)?.kind === 'bytes' ? `HEX(${quoted(name)})` : quoted(name))).join(', ')})`;

const selectOf = (doubts: readonly Doubted[], source: Table): string =>
  `SELECT ${doubts.map(({ condition }, index) => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END) n${index}, MIN(CASE WHEN ${condition} THEN ${keyTextOf(source)} END) k${index}`).join(', ')}`;

function ends(doubts: readonly Doubted[], source: Table, rows: number): string {
  const names = [...new Set([...source.primaryKey, ...doubts.flatMap(({ reads }) => reads)])].map((name) =>
    quoted(name),
  );
  const end = (order: string) =>
    `(SELECT ${names.join(', ')} FROM ${tableName(source)} ORDER BY ${source.primaryKey.map((name) => `${quoted(name)} ${order}`).join(', ')} LIMIT ${rows})`;
  return `(${end('ASC')} UNION ALL ${end('DESC')}) sampled`;
}

/** Two rows that the target's comparison takes for one. Undefined where the comparison is of beginnings. */
function collisions({ columns }: DoubtfulUnique, source: Table, target: Table): string | undefined {
  const compared = columns.map(({ source: from, target: to }) => {
    const { charset = null, collation = null } = columnOf(target, to) ?? {};
    return charset === null || columnOf(source, from)?.kind !== 'text'
      ? quoted(from)
      : `CONVERT(${quoted(from)} USING ${charset}) COLLATE ${collation}`;
  });
  const key = keyTextOf(source);
  return `SELECT MIN(${key}) AS \`first\`, MAX(${key}) AS \`last\` FROM ${tableName(source)} WHERE ${columns.map((column) => `${quoted(column.source)} IS NOT NULL`).join(' AND ')} GROUP BY ${compared.join(', ')} HAVING COUNT(*) > 1 LIMIT 1`;
}

/** The first row of an answer, null where it has none; undefined when the answer takes too long. */
export async function within(
  connection: Connection,
  milliseconds: number,
  select: string,
): Promise<RowDataPacket | null | undefined> {
  const text = (await isMariaDb(connection))
    ? `SET STATEMENT max_statement_time = ${milliseconds / 1_000} FOR ${select}`
    : select.replace(/^SELECT /, `SELECT /*+ MAX_EXECUTION_TIME(${milliseconds}) */ `);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(text);
    return rows[0] ?? null;
  } catch (error) {
    if (TIMED_OUT.has((error as { errno?: number }).errno ?? 0)) return undefined;
    throw error;
  }
}
