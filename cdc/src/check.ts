import { checkPort, type MigrationData, type Plan, type Problem, reasonOf } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { checkLog, hasTables, missingPrivileges, sourceNeeds, targetNeeds } from './check-database.js';
import { checkStandbys } from './check-standbys.js';
import { checkBothWriters } from './check-both-writers.js';
import { checkKafka } from './check-kafka.js';
import { checkRows } from './check-rows.js';
import { checkTables } from './check-tables.js';
import { connect, controlSchemaOf, type Database, databaseOf } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { hasCopy } from './drop-copy.js';
import { readGrants } from './grants.js';
import { readTable, type Table } from './table.js';

/** How mappings are tried on rows of their sources. */
export type RowsToTry = {
  /** Rows of each table, besides those with the extremes of its columns. */
  readonly rows: number;
  /** Also of a migration that has been copied, and rows that would be parked as well. */
  readonly isAsked: boolean;
};
const AT_START: RowsToTry = { rows: 200, isAsked: false };

/**
 * Everything that would keep the sync from starting, all at once. Changes nothing but what the echo self-test writes where both sides write. Before the first
 * copy mappings are tried on rows of their sources; what turns up later parks a row and stops nothing.
 */
export async function check(
  plan: Plan,
  { rows, isAsked }: RowsToTry = AT_START,
): Promise<readonly Problem[]> {
  // Who asks may ask beside a sync that runs.
  const problems: Problem[] = isAsked ? [] : [...(await checkPort('sync.admin', plan.sync.admin))];
  const migrations = Object.entries(plan.migrations).flatMap(([name, { data }]) =>
    data ? [{ name, data }] : [],
  );
  const connections = new Map<string, { readonly database: Database; readonly connection: Connection }>();
  try {
    for (const name of new Set(migrations.flatMap(({ data }) => [data.from, data.to]))) {
      const database = databaseOf(name, plan.databases[name] as string);
      try {
        connections.set(name, await connectAny(database, plan.sync.failover[name] ?? []));
      } catch (error) {
        problems.push({
          code: 'DATABASE_UNREACHABLE',
          path: `databases.${name}`,
          message: `does not answer (${reasonOf((error as Error).cause)})`,
          remedy: 'start it or correct its URL',
        });
      }
    }
    for (const name of new Set(migrations.map(({ data }) => data.from))) {
      const source = connections.get(name);
      if (!source) continue;
      const tables = migrations
        .filter(({ data }) => data.from === name)
        .flatMap(({ data }) => data.tables.map(({ from }) => from));
      const isNew = !(await hasTables(source.connection, controlSchemaOf(source.database), SOURCE_TABLES));
      problems.push(...(await checkLog(source.connection, `databases.${name}`)));
      const failover = plan.sync.failover[name];
      if (failover)
        problems.push(...(await checkStandbys(databaseOf(name, plan.databases[name] as string), failover)));
      problems.push(
        ...missingPrivileges(
          await readGrants(source.connection),
          sourceNeeds(source.database, tables, isNew),
          `databases.${name}`,
        ),
      );
      problems.push(...(await checkCascades(source.connection, source.database, tables)));
    }
    for (const name of new Set(migrations.map(({ data }) => data.to))) {
      const target = connections.get(name);
      if (!target) continue;
      const tables = migrations
        .filter(({ data }) => data.to === name)
        .flatMap(({ data }) => writtenTables(data));
      const isNew = !(await hasTables(target.connection, controlSchemaOf(target.database), TARGET_TABLES));
      problems.push(
        ...missingPrivileges(
          await readGrants(target.connection),
          targetNeeds(target.database, tables, isNew),
          `databases.${name}`,
        ),
      );
    }
    for (const { name, data } of migrations) {
      const [source, target] = [connections.get(data.from), connections.get(data.to)];
      const hasBegun = target !== undefined && (await hasCopy(target.connection, target.database, name));
      for (const [index, mapping] of data.tables.entries()) {
        const read = async (side: typeof source, table: string) =>
          side ? readTable(side.connection, side.database.schema, table) : ('unknown' as const);
        const tables = {
          source: await read(source, mapping.from),
          target: await read(target, mapping.to),
          children: await Promise.all(mapping.split.map((split) => read(target, split.to))),
        };
        const path = `migrations.${name}.data.tables[${index}]`;
        const isFlowing = hasBegun && data.addedColumns !== 'stop';
        const found = checkTables(mapping, tables, path, isFlowing);
        problems.push(...found);
        if (found.some(({ code }) => code !== 'COLUMN_DROPPED') || (hasBegun && !isAsked)) continue;
        const side = { mapping, path, rows, tellsRefused: isAsked, random: Math.random };
        if (source && isTable(tables.source) && isTable(tables.target))
          problems.push(
            ...(await checkRows({
              ...side,
              source: tables.source,
              target: tables.target,
              connection: source.connection,
            })),
          );
      }
      if (source) problems.push(...(await checkKafka(plan, name, data, source)));
    }
    for (const [name, side] of connections) {
      const tables = bothWrite(migrations, name);
      if (tables.length === 0) continue;
      const known = new Set(problems.map((each) => JSON.stringify(each)));
      const more = await checkBothWriters(side, tables, AbortSignal.timeout(60_000));
      problems.push(...more.filter((each) => !known.has(JSON.stringify(each))));
    }
    return problems;
  } finally {
    for (const { connection } of connections.values()) connection.destroy();
  }
}

const isTable = (found: Table | undefined | 'unknown'): found is Table =>
  found !== undefined && found !== 'unknown';

type Connected = { readonly database: Database; readonly connection: Connection };

/** The first of its servers that answers. Throws what the first of all said when none does. */
async function connectAny(database: Database, failover: readonly string[]): Promise<Connected> {
  let first: unknown;
  for (const url of [database.url, ...failover]) {
    try {
      const reached = { ...database, url };
      return { database: reached, connection: await connect(reached) };
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Tables of a database that have two writers. */
const bothWrite = (
  migrations: readonly { readonly data: MigrationData }[],
  database: string,
): readonly string[] =>
  migrations.flatMap(({ data }) =>
    data.tables
      .filter(({ writers }) => writers === 'both')
      .flatMap(({ from, to }) => [
        ...(data.from === database ? [from] : []),
        ...(data.to === database ? [to] : []),
      ]),
  );

const writtenTables = (data: MigrationData): readonly string[] =>
  data.tables.flatMap(({ to, split }) => [to, ...split.map((child) => child.to)]);

/** Rows that a foreign key changes by itself are not in the log of any MariaDB, nor of MySQL before 9.6 (bugs.mysql.com, 32506). */
async function checkCascades(
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
