import {
  type ColumnRule,
  type MigrationData,
  type Row,
  tableMappingSchema,
  type Verification,
} from '@strangler/contracts';
import { pino } from 'pino';
import { isUpTo, positionOf } from '../binlog-offset.js';
import { flowClock } from '../flow-clock.js';
import { logEnd } from '../log-end.js';
import { MigrationSync, type MigrationSyncOptions } from '../migration-sync.js';
import { readRows } from '../sql.js';
import { noStopPoints } from '../stop-points.js';
import { readTable, type Table } from '../table.js';
import { engineOf, type ScratchDatabase, scratchDatabase, until } from './databases.js';

/** A table with data that other tools get wrong. `T` in a statement is the table; the first column is the key unless said otherwise. */
export type NastyTable = {
  /** The case's number in docs/nasty-data.md and what it is. */
  readonly name: string;
  readonly only?: 'mariadb' | 'mysql';
  readonly table?: string;
  readonly columns: string;
  /** Columns in the service's database, where they are others. */
  readonly target?: string;
  readonly key?: readonly string[];
  readonly rules?: Readonly<Record<string, ColumnRule>>;
  /** Run before anything is copied, and while the log is followed. */
  readonly before: readonly string[];
  readonly after: readonly string[];
};

export type Copied = {
  /** Rows of a table as the three databases print them. */
  rows(table: NastyTable): Promise<Readonly<Record<'legacy' | 'service' | 'back', readonly Row[]>>>;
  verifications(): readonly Verification[];
  readonly service: ScratchDatabase;
  readonly nameOf: (table: NastyTable) => string;
  stop(): Promise<void>;
};

const quiet = pino({ level: 'silent' });
const tick = (name: string) => `\`${name.replaceAll('`', '``')}\``;

export const migrationOf = (
  name: string,
  from: ScratchDatabase,
  to: ScratchDatabase,
  data: MigrationData,
  more: Partial<MigrationSyncOptions> = {},
): MigrationSync =>
  new MigrationSync({
    name,
    from,
    to,
    data,
    log: quiet,
    clock: Date.now,
    flowClock: flowClock(),
    onAppliedUntil: () => {},
    random: Math.random,
    stopPoints: noStopPoints,
    ...more,
  });

/** Waits until everything written before the call is applied. Throws the problem when it stops. */
export async function followed(sync: MigrationSync, from: ScratchDatabase): Promise<void> {
  const end = await logEnd(from.root);
  await until(
    () => {
      const { state, problem, offset } = sync.evidence(Date.now());
      if (state === 'stopped') throw new Error(problem ?? 'stopped');
      return state === 'tailing' && offset !== null && isUpTo(end, positionOf({ text: offset }));
    },
    'everything is followed',
    30_000,
  );
}

/** Copies and follows all tables at once from one database to a second, and from that on to a third, which is the way back. */
export async function copyNasty(tables: readonly NastyTable[]): Promise<Copied> {
  const legacy = await scratchDatabase('nasty');
  const service = await scratchDatabase('service');
  const back = await scratchDatabase('back');
  const engine = await engineOf(legacy.root);
  const used = tables.filter(({ only }) => only === undefined || only === engine);
  const nameOf = (table: NastyTable) => table.table ?? `t${tables.indexOf(table)}`;
  // Writers of old applications check nothing.
  for (const { root } of [legacy, service, back])
    await root.query("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0");
  const forward: MigrationData['tables'][number][] = [];
  const backward: MigrationData['tables'][number][] = [];
  for (const table of used) {
    const name = nameOf(table);
    const create = async ({ root }: ScratchDatabase, columns: string) =>
      root.query(
        `CREATE TABLE ${tick(name)} ${columns.startsWith('(') ? columns : `(${columns})`}`.replaceAll(
          /\bT_\b/g,
          tick(name),
        ),
      );
    await create(legacy, table.columns);
    await create(service, table.target ?? table.columns);
    // No engine without transactions can be a target.
    await create(back, table.columns.replace(/ENGINE = MyISAM/, ''));
    const read = async (database: ScratchDatabase) =>
      (await readTable(database.root, database.schema, name)) as Table;
    const [from, to] = [await read(legacy), await read(service)];
    const key = table.key ?? from.primaryKey;
    const names = from.columns
      .filter(
        (column) =>
          !key.includes(column.name) &&
          to.columns.some(({ name: other, generated }) => other === column.name && !generated),
      )
      .map(({ name: one }) => one);
    // On the way back what is generated there makes itself.
    const generated = new Set(from.columns.flatMap((column) => (column.generated ? [column.name] : [])));
    const mapping = (rules: Readonly<Record<string, ColumnRule>>, given: readonly string[]) =>
      tableMappingSchema.parse({
        from: name,
        to: name,
        key: Object.fromEntries(key.map((one) => [one, one])),
        columns: { ...Object.fromEntries(given.map((one) => [one, one])), ...rules },
      });
    forward.push(mapping(table.rules ?? {}, names));
    backward.push(
      mapping(
        {},
        names.filter((one) => !generated.has(one)),
      ),
    );
  }
  const run = async (statements: (table: NastyTable) => readonly string[]) => {
    for (const table of used)
      for (const sql of statements(table))
        await legacy.root.query(sql.replaceAll(/\bT\b/g, tick(nameOf(table)))).catch((error: unknown) => {
          throw new Error(`"${sql.slice(0, 200)}" of "${table.name}": ${String(error)}`);
        });
  };
  await run(({ before }) => before);
  const data = (mappings: typeof forward): MigrationData => ({
    from: 'nasty',
    to: 'service',
    chunkRows: 2,
    tables: mappings,
  });
  const there = migrationOf('there', legacy, service, data(forward));
  const home = migrationOf('home', service, back, data(backward));
  const stop = async () => {
    await Promise.all([there.stop(), home.stop()]);
    for (const database of [legacy, service, back]) await database.drop();
  };
  try {
    void there.wish('run');
    await followed(there, legacy);
    void home.wish('run');
    await followed(home, service);
    await run(({ after }) => after);
    await followed(there, legacy);
    await followed(home, service);
    const verifications = [await there.verify(), await home.verify()];
    return {
      nameOf,
      service,
      verifications: () => verifications,
      async rows(table) {
        const read = async ({ root, schema }: ScratchDatabase, shape: ScratchDatabase) => {
          const found = (await readTable(root, schema, nameOf(table))) as Table;
          const shown = (await readTable(shape.root, shape.schema, nameOf(table))) as Table;
          return readRows(
            root,
            found,
            shown.columns.map(({ name: column }) => column),
            `ORDER BY ${found.primaryKey.map(tick).join(', ')}`,
          );
        };
        // Legacy may have got columns that nobody maps.
        return {
          legacy: await read(legacy, back),
          service: await read(service, service),
          back: await read(back, back),
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
