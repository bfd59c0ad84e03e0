import { type Plan, type Problem, reasonOf, type SelfTested, StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { APPLY_SESSION } from './apply.js';
import { binlogSource } from './binlog-source.js';
import type { CapturedTable } from './change-source.js';
import { checkCascades } from './check-cascades.js';
import { checkLog, missingPrivileges, sourceNeeds } from './check-database.js';
import { checkTriggers } from './check-triggers.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { testEcho } from './echo-self-test.js';
import { readGrants } from './grants.js';
import type { StreamEnds } from './own-log.js';
import { nameOf, sourceTablesOf } from './pair-names.js';
import { severityOf } from './severity.js';
import { shadowsOf } from './shadow-mappings.js';
import type { Side } from './sides.js';
import { quoted, tableName } from './sql.js';
import { OFFSET_TABLE } from './stray-writes.js';
import { pairOf, tableNamed, type TablePair } from './table-pair.js';

export type SelfTestOptions = {
  readonly plan: Plan;
  readonly ends: StreamEnds;
  /** The stream that goes the other way. */
  readonly other: StreamEnds;
  /** Whether the log is read from the database itself: then it has to tell our writes from those of others. */
  readonly readsLog: boolean;
};

/**
 * Proves that a stream could run: its databases answer, its mappings compile against their tables, every statement that it needs is allowed, triggers of its target leave its rows as they are, and the log that it
 * reads tells writes of ours from those of others. All problems at once. Writes into control tables only.
 */
export async function testStream(options: SelfTestOptions, signal: AbortSignal): Promise<SelfTested> {
  const { ends } = options;
  const problems: string[] = [];
  const collect = async (work: () => Promise<readonly (Problem | string)[]>) => {
    try {
      problems.push(...(await work()).filter(isGrave).map(sentence));
    } catch (error) {
      signal.throwIfAborted();
      problems.push(reasonOf(error));
    }
  };
  const opened: Connection[] = [];
  const open = async (database: Database, session?: readonly string[]) => {
    const connection = await connect(database, session);
    opened.push(connection);
    return connection;
  };
  try {
    const sides: Partial<Record<'source' | 'target', Connection>> = {};
    await collect(async () => {
      sides.source = await open(ends.from);
      return [];
    });
    await collect(async () => {
      sides.target = await open(ends.to, APPLY_SESSION);
      return [];
    });
    const { source, target } = sides;
    if (!source || !target) return { ok: false, problems };
    const captured = [...new Set(ends.data.tables.flatMap(sourceTablesOf))];
    await collect(() => checkLog(source, ends.from.name));
    await collect(async () =>
      missingPrivileges(
        await readGrants(source),
        sourceNeeds(ends.from, captured, false).filter(({ schema }) => schema === null),
        ends.from.name,
      ),
    );
    await collect(() => checkCascades(source, ends.from, captured));
    const pairs: TablePair[] = [];
    for (const mapping of ends.data.tables)
      await collect(async () => {
        pairs.push(await pairOf(nameOf(ends.data, mapping), mapping, ends.from, source, ends.to, target));
        for (const table of sourceTablesOf(mapping)) await tableNamed(source, ends.from, table);
        return [];
      });
    await collect(() => checkTriggers(asPlan(options), sideOf(ends, target)));
    for (const table of captured)
      await collect(() => tried(source, `SELECT 1 FROM ${quoted(ends.from.schema, table)} LIMIT 0`));
    const isAssembled = ends.data.tables.some((mapping) => shadowsOf(mapping).length > 0);
    await collect(() => tryControl(target, ends, isAssembled));
    for (const pair of pairs) await collect(() => tryWrites(target, pair));
    if (options.readsLog) await collect(() => tryEcho(options, source, signal));
    return { ok: problems.length === 0, problems: [...new Set(problems)] };
  } finally {
    for (const connection of opened) connection.destroy();
  }
}

const isGrave = (problem: Problem | string): boolean =>
  typeof problem === 'string' || severityOf(problem.code) === 'refuses';
const sentence = (problem: Problem | string): string =>
  typeof problem === 'string' ? problem : `${problem.path}: ${problem.message}: ${problem.remedy}`;

/** Whether a statement is allowed, one that changes nothing. */
async function tried(connection: Connection, statement: string): Promise<readonly string[]> {
  try {
    await connection.query(statement);
    return [];
  } catch (error) {
    return [`"${statement.slice(0, 80)}" is refused (${reasonOf(error)}): grant what it asks for`];
  }
}

/** Rows of the control tables, taken back; a shadow is made and dropped where there are some. */
async function tryControl(
  target: Connection,
  { to, name }: StreamEnds,
  isAssembled: boolean,
): Promise<readonly string[]> {
  const schema = controlSchemaOf(to);
  await ensureTables(target, schema, TARGET_TABLES);
  await target.beginTransaction();
  const found: string[] = [];
  const statement = `REPLACE INTO ${quoted(schema, OFFSET_TABLE)} (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES (${target.escape(`${name}.try`)}, 0, 0, '', '')`;
  found.push(...(await tried(target, statement)));
  for (const table of Object.keys(TARGET_TABLES))
    found.push(...(await tried(target, `DELETE FROM ${quoted(schema, table)} WHERE FALSE`)));
  await target.rollback();
  if (!isAssembled) return found;
  const shadow = quoted(schema, `try_${Date.now().toString(36)}`);
  return [
    ...found,
    ...(await tried(target, `CREATE TABLE ${shadow} (id INT PRIMARY KEY)`)),
    ...(await tried(target, `DROP TABLE IF EXISTS ${shadow}`)),
  ];
}

/** Privileges are asked for also by statements that find no row, and triggers run for none. */
async function tryWrites(target: Connection, pair: TablePair): Promise<readonly string[]> {
  const tables = [
    { table: pair.target, names: pair.map.writes },
    ...pair.children.map((table, index) => ({ table, names: pair.childColumns(index) })),
  ];
  const found: string[] = [];
  await target.beginTransaction();
  for (const { table, names } of tables) {
    const [name, columns] = [tableName(table), names.map((each) => quoted(each)).join(', ')];
    const set = names.map((each) => `${quoted(each)} = ${quoted(each)}`).join(', ');
    for (const statement of [
      `INSERT INTO ${name} (${columns}) SELECT ${columns} FROM ${name} WHERE FALSE`,
      `UPDATE ${name} SET ${set} WHERE FALSE`,
      `DELETE FROM ${name} WHERE FALSE`,
    ])
      found.push(...(await tried(target, statement)));
  }
  await target.rollback();
  return found;
}

async function tryEcho(
  { ends, other }: SelfTestOptions,
  source: Connection,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const schema = controlSchemaOf(ends.from);
  await ensureTables(source, schema, { ...SOURCE_TABLES, ...TARGET_TABLES });
  try {
    const sourceOf = (tables: readonly CapturedTable[]) => binlogSource({ database: ends.from, tables });
    await testEcho({ stream: other.name, target: ends.from, sourceOf }, signal);
    return [];
  } catch (error) {
    if (error instanceof StranglerError) return [error.message];
    throw error;
  }
}

/** The plan as if it had this stream alone. */
const asPlan = ({ plan, ends }: SelfTestOptions): Plan => ({
  ...plan,
  migrations: Object.fromEntries(
    Object.values(plan.migrations)
      .slice(0, 1)
      .map((migration) => [ends.name, { ...migration, data: ends.data }]),
  ),
});

const sideOf = ({ to, data }: StreamEnds, connection: Connection): Side => ({
  database: to,
  connection,
  captured: [],
  written: data.tables.flatMap((mapping) => [mapping.to, ...mapping.split.map((child) => child.to)]),
  hasTwoWriters: false,
  isAssembled: false,
});
