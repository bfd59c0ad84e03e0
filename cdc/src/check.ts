import { checkPort, type Plan, type Problem, type TableMapping } from '@strangler/contracts';
import { checkCascades } from './check-cascades.js';
import { checkLog, hasTables, missingPrivileges, sourceNeeds, targetNeeds } from './check-database.js';
import { checkEcho } from './check-both-writers.js';
import { checkKafka } from './check-kafka.js';
import { checkLogContent } from './check-log-content.js';
import { checkStandbys } from './check-standbys.js';
import { checkTables, type MappedTables } from './check-tables.js';
import { checkTriggers } from './check-triggers.js';
import { controlSchemaOf } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { readDefinition } from './definition.js';
import { readGrants } from './grants.js';
import { severityOf } from './severity.js';
import { migrationsOf, pathOf, type Side, withSides } from './sides.js';
import { readTable } from './table.js';

/** Everything that would keep the sync from starting, all at once. Changes nothing but what the echo self-test writes where both sides write. */
export async function check(plan: Plan): Promise<readonly Problem[]> {
  const problems = await withSides(plan, async (sides, unreachable) => [
    ...unreachable,
    ...(await checkSides(plan, sides)),
  ]);
  return [
    ...(await checkPort('sync.admin', plan.sync.admin)),
    ...problems.filter(({ code }) => severityOf(code) === 'refuses'),
  ];
}

/** All that no sync may start with, of the databases that answer, and what is seen on the way. */
export async function checkSides(plan: Plan, sides: ReadonlyMap<string, Side>): Promise<readonly Problem[]> {
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

  for (const { name, data } of migrationsOf(plan)) {
    const [source, target] = [sides.get(data.from), sides.get(data.to)];
    for (const [index, mapping] of data.tables.entries()) {
      const tables = await readMapped(mapping, source, target);
      problems.push(...checkTables(mapping, tables, `migrations.${name}.data.tables[${index}]`));
    }
    if (source) problems.push(...(await checkKafka(plan, name, data, source)));
  }
  return problems;
}

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
    ...(written.length > 0 ? targetNeeds(database, written, await isNew(TARGET_TABLES)) : []),
  ];
  return missingPrivileges(await readGrants(connection), needs, pathOf(side));
}

/** The tables a mapping names, as they stand. */
export async function readMapped(
  mapping: TableMapping,
  source: Side | undefined,
  target: Side | undefined,
): Promise<MappedTables> {
  const read = async (side: Side | undefined, name: string) => {
    if (!side) return 'unknown';
    const table = await readTable(side.connection, side.database.schema, name);
    const definition = await readDefinition(side.connection, side.database.schema, name);
    return table && definition ? { ...table, definition } : table;
  };
  return {
    source: await read(source, mapping.from),
    target: await read(target, mapping.to),
    children: await Promise.all(mapping.split.map((split) => read(target, split.to))),
  };
}
