import { type MigrationData, type Plan, type Problem, reasonOf } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { connect, type Database, databaseOf } from './connect.js';
import { sourceTablesOf } from './pair-names.js';
import { shadowsOf } from './shadow-mappings.js';

/** A database of the plan as it was reached, and what migrations ask of it. Where both sides write a table, each of them is source and target at once. */
export type Side = {
  readonly database: Database;
  readonly connection: Connection;
  /** Tables whose changes are read from its log. */
  readonly captured: readonly string[];
  /** Tables that are written here. */
  readonly written: readonly string[];
  readonly hasTwoWriters: boolean;
  /** Whether rows written here are put together from several tables, some of which are kept beside them. */
  readonly isAssembled: boolean;
};

export type NamedData = { readonly name: string; readonly data: MigrationData };

export const migrationsOf = (plan: Plan): readonly NamedData[] =>
  Object.entries(plan.migrations).flatMap(([name, { data }]) => (data ? [{ name, data }] : []));

/** Where in a plan a database stands. */
export const pathOf = ({ database }: { readonly database: Database }): string => `databases.${database.name}`;

/** Hands every database that answers to `work`, and a problem for each that does not. All connections are closed behind it. */
export async function withSides<T>(
  plan: Plan,
  work: (sides: ReadonlyMap<string, Side>, unreachable: readonly Problem[]) => Promise<T>,
): Promise<T> {
  const sides = new Map<string, Side>();
  const unreachable: Problem[] = [];
  const migrations = migrationsOf(plan);
  try {
    for (const name of new Set(migrations.flatMap(({ data }) => [data.from, data.to]))) {
      const database = databaseOf(name, plan.databases[name] as string);
      try {
        const reached = await connectAny(database, plan.sync.failover[name] ?? []);
        sides.set(name, { ...reached, ...rolesOf(migrations, name) });
      } catch (error) {
        unreachable.push({
          code: 'DATABASE_UNREACHABLE',
          path: `databases.${name}`,
          message: `does not answer (${reasonOf((error as Error).cause)})`,
          remedy: 'start it or correct its URL',
        });
      }
    }
    return await work(sides, unreachable);
  } finally {
    for (const { connection } of sides.values()) connection.destroy();
  }
}

/** The first of its servers that answers. Throws what the first of all said when none does. */
async function connectAny(
  database: Database,
  failover: readonly string[],
): Promise<{ readonly database: Database; readonly connection: Connection }> {
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

function rolesOf(migrations: readonly NamedData[], database: string) {
  const tables = migrations.flatMap(({ data }) => data.tables.map((mapping) => ({ data, mapping })));
  const given = tables.filter(({ data }) => data.from === database);
  const taken = tables.filter(({ data }) => data.to === database);
  const both = ({ mapping }: (typeof tables)[number]) => mapping.writers === 'both';
  return {
    captured: [
      ...given.flatMap(({ mapping }) => sourceTablesOf(mapping)),
      ...taken.filter(both).map(({ mapping }) => mapping.to),
    ],
    written: [
      ...taken.flatMap(({ mapping: { to, split } }) => [to, ...split.map((child) => child.to)]),
      ...given.filter(both).map(({ mapping }) => mapping.from),
    ],
    hasTwoWriters: [...given, ...taken].some(both),
    isAssembled: taken.some(({ mapping }) => shadowsOf(mapping).length > 0),
  };
}
