import {
  checkPort,
  type ListRule,
  type MigrationData,
  type PartRule,
  type Plan,
  type Problem,
  type TableMapping,
} from '@strangler/contracts';
import { carriedColumns } from './carried-columns.js';
import { checkAmbiguity } from './check-ambiguity.js';
import { checkAssembly } from './check-assembly.js';
import { checkCascades } from './check-cascades.js';
import { checkLog, hasTables, missingPrivileges, sourceNeeds, targetNeeds } from './check-database.js';
import { checkEcho } from './check-both-writers.js';
import { checkKafka } from './check-kafka.js';
import { checkLogContent } from './check-log-content.js';
import { checkRows } from './check-rows.js';
import { checkStandbys } from './check-standbys.js';
import { checkTables, type MappedTables } from './check-tables.js';
import { checkTriggers } from './check-triggers.js';
import { controlSchemaOf } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { readDefinition } from './definition.js';
import { hasCopy } from './drop-copy.js';
import { readGrants } from './grants.js';
import { sourceTablesOf } from './pair-names.js';
import { severityOf } from './severity.js';
import { migrationsOf, type NamedData, pathOf, type Side, withSides } from './sides.js';
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
export async function check(plan: Plan, toTry: RowsToTry = AT_START): Promise<readonly Problem[]> {
  const problems = await withSides(plan, async (sides, unreachable) => [
    ...unreachable,
    ...(await checkSides(plan, sides, toTry)),
  ]);
  return [
    // Who asks may ask beside a sync that runs.
    ...(toTry.isAsked ? [] : await checkPort('sync.admin', plan.sync.admin)),
    ...problems.filter(({ code }) => isTold(code, toTry)),
  ];
}

const isTold = (code: string, { isAsked }: RowsToTry): boolean =>
  severityOf(code) === 'refuses' || (isAsked && code === 'VALUE_UNMAPPED');

/** All that no sync may start with, of the databases that answer, and what is seen on the way. */
export async function checkSides(
  plan: Plan,
  sides: ReadonlyMap<string, Side>,
  toTry: RowsToTry,
  /** The plan of which this one has some of the migrations. */
  whole: Plan = plan,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [name, side] of sides) {
    const found = [
      ...(side.captured.length > 0 ? await checkSource(side, plan.sync.failover[name] ?? []) : []),
      ...(await checkPrivileges(side)),
      ...(side.written.length > 0 ? await checkTriggers(plan, side) : []),
    ];
    problems.push(...found);
    if (side.hasTwoWriters && found.every(({ code }) => severityOf(code) !== 'refuses'))
      problems.push(...(await checkEcho(side, AbortSignal.timeout(60_000))));
  }

  for (const migration of migrationsOf(plan)) {
    const [source, target] = [sides.get(migration.data.from), sides.get(migration.data.to)];
    const beside = migrationsOf(whole)
      .map(({ data }) => data)
      .filter(({ from }) => from === migration.data.from);
    problems.push(...(await checkMappings(migration, beside, source, target, toTry)));
    if (source) problems.push(...(await checkKafka(plan, migration.name, migration.data, source)));
  }
  return problems;
}

async function checkMappings(
  { name, data }: NamedData,
  /** All that the plan reads of the source's database. */
  beside: readonly MigrationData[],
  source: Side | undefined,
  target: Side | undefined,
  { rows, isAsked }: RowsToTry,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const hasBegun = target !== undefined && (await hasCopy(target.connection, target.database, name));
  for (const [index, mapping] of data.tables.entries()) {
    const path = `migrations.${name}.data.tables[${index}]`;
    const tables = await readMapped(mapping, source, target);
    const others = new Map<string, MappedTables['source']>();
    for (const table of sourceTablesOf(mapping)) others.set(table, await readSide(source, table));
    const isFlowing = hasBegun && data.addedColumns !== 'stop';
    const { from, where } = mapping;
    const carried = carriedColumns(beside, { of: mapping, from, where });
    const carriedBy = isFlowing
      ? undefined
      : (of: PartRule | ListRule) => carriedColumns(beside, { of, from: of.from, where });
    const found = [
      ...checkTables(mapping, tables, path, isFlowing, carried),
      ...checkAssembly(mapping, { ...tables, others, carriedBy }, path),
    ];
    problems.push(...found);
    if (source && (!hasBegun || isAsked))
      problems.push(...(await checkAmbiguity(source, mapping, others, path)));
    const isReadable = found.every(({ code }) => code === 'COLUMN_DROPPED' || severityOf(code) !== 'refuses');
    if (!isReadable || (hasBegun && !isAsked) || !source) continue;
    if (isTable(tables.source) && isTable(tables.target))
      problems.push(
        ...(await checkRows({
          mapping,
          path,
          rows,
          source: tables.source,
          target: tables.target,
          connection: source.connection,
          tellsRefused: isAsked,
          random: Math.random,
        })),
      );
  }
  return problems;
}

const isTable = (found: MappedTables['source']): found is Table => found !== undefined && found !== 'unknown';

async function checkSource(side: Side, failover: readonly string[]): Promise<readonly Problem[]> {
  const { database, connection, captured } = side;
  return [
    ...(await checkLog(connection, pathOf(side))),
    ...(await checkLogContent(side)),
    ...(failover.length > 0 ? await checkStandbys(database, failover) : []),
    ...(await checkCascades(connection, database, captured)),
  ];
}

async function checkPrivileges(side: Side): Promise<readonly Problem[]> {
  const { database, connection, captured, written } = side;
  const isNew = async (tables: Readonly<Record<string, string>>) =>
    !(await hasTables(connection, controlSchemaOf(database), tables));
  const needs = [
    ...(captured.length > 0 ? sourceNeeds(database, captured, await isNew(SOURCE_TABLES)) : []),
    ...(written.length > 0
      ? targetNeeds(database, written, await isNew(TARGET_TABLES), side.isAssembled)
      : []),
  ];
  return missingPrivileges(await readGrants(connection), needs, pathOf(side));
}

/** A table as it stands, with its definition. */
export async function readSide(side: Side | undefined, name: string): Promise<MappedTables['source']> {
  if (!side) return 'unknown';
  const table = await readTable(side.connection, side.database.schema, name);
  const definition = await readDefinition(side.connection, side.database.schema, name);
  return table && definition ? { ...table, definition } : table;
}

/** The tables a mapping names, as they stand. */
export async function readMapped(
  mapping: TableMapping,
  source: Side | undefined,
  target: Side | undefined,
): Promise<MappedTables> {
  return {
    source: await readSide(source, mapping.from),
    target: await readSide(target, mapping.to),
    children: await Promise.all(mapping.split.map((split) => readSide(target, split.to))),
  };
}
