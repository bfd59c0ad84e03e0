import type { Connection, RowDataPacket } from 'mysql2/promise';
import { fenceNotPutUp, fenceTableUnknown } from '../errors.js';
import { type FenceDatabase, quoted, rowsOf, withConnection } from './fence-database.js';
import type { FenceMoved, FenceOrder, Fences, FenceSeen, FenceStart } from './fences.js';
import { gapsOf } from './fence-gaps.js';
import { moveFence } from './move-fence.js';
import { refusalOf } from './refusal.js';
import { fenceRows, toRemoveRows, toWriteRows } from './fence-rows.js';
import {
  createTrigger,
  dropTrigger,
  isSameBody,
  OPERATIONS,
  type Operation,
  triggerBody,
  triggerName,
} from './trigger-text.js';

/** A trigger waits for whoever uses its table, and everyone behind waits for it: rather none now. */
const DDL_WAIT_SECONDS = 2;

/** Fences that are triggers on the tables, which ask a row of the control schema. */
export const triggerFences = (database: FenceDatabase): Fences => {
  const run = (statements: readonly string[], connection: Connection) =>
    runStatements(database, connection, statements);
  const toInstall = async (tables: readonly string[], start: FenceStart, connection: Connection) =>
    tables.length === 0 ? [] : statementsToInstall(database, connection, tables, start);
  const toRemove = async (tables: readonly string[], connection: Connection) =>
    tables.length === 0
      ? []
      : [
          ...(await triggersOf(database, connection, tables))
            .filter(({ isOurs }) => isOurs)
            .map(({ name }) => dropTrigger(database, name)),
          // Without its row a trigger refuses every write, so they go first.
          ...(await toRemoveRows(database, connection, tables)),
        ];
  const move = async (tables: readonly string[], closed: boolean, order: FenceOrder): Promise<FenceMoved> => {
    if (tables.length === 0) return { kind: 'moved' };
    const defective = (
      await withConnection(database, (connection) => defectsOf(database, connection, tables))
    )
      .filter(({ defects }) => defects.length > 0)
      .map(({ table }) => table);
    if (defective.length > 0) return { kind: 'missing', tables: defective };
    return moveFence(database, tables, closed, order);
  };
  return {
    toInstall: (tables, start) =>
      withConnection(database, (connection) => toInstall(tables, start, connection)),
    install: (tables, start) =>
      withConnection(database, async (connection) =>
        run(await toInstall(tables, start, connection), connection),
      ),
    toRemove: (tables) => withConnection(database, (connection) => toRemove(tables, connection)),
    remove: (tables) =>
      withConnection(database, async (connection) => run(await toRemove(tables, connection), connection)),
    close: (tables, order) => move(tables, true, order),
    open: (tables, order) => move(tables, false, order),
    look: (tables) =>
      withConnection(database, async (connection) => {
        if (tables.length === 0) return [];
        const defects = await defectsOf(database, connection, tables);
        const rows = await fenceRows(database, connection, tables);
        const gaps = await gapsOf(database, connection, tables);
        return tables.map((table): FenceSeen => {
          const state = rows.get(table) ?? null;
          return {
            table,
            state,
            defects: [
              ...(state === null ? ['has no fence row'] : []),
              ...(defects.find((each) => each.table === table)?.defects ?? []),
            ],
            gaps: gaps.get(table) ?? [],
          };
        });
      }),
  };
};

async function runStatements(
  database: FenceDatabase,
  connection: Connection,
  statements: readonly string[],
): Promise<void> {
  await connection.query(`SET lock_wait_timeout = ${DDL_WAIT_SECONDS}`);
  for (const statement of statements)
    await connection.query(statement).catch(async (error: unknown) => {
      throw (await refusalOf(database, connection, error)) ?? fenceNotPutUp(database.name, error);
    });
}

async function statementsToInstall(
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
  start: FenceStart,
): Promise<readonly string[]> {
  const known = new Set(
    (
      await rowsOf(
        connection,
        "SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'",
        [database.schema],
      )
    ).map((row) => String(row['name'])),
  );
  const unknown = tables.filter((table) => !known.has(table));
  if (unknown.length > 0) throw fenceTableUnknown(database.name, unknown);
  const triggers = await triggersOf(database, connection, tables);
  return [
    ...(await toWriteRows(database, connection, tables, start)),
    ...tables.flatMap((table) =>
      OPERATIONS.flatMap((operation) => {
        const here = triggers.filter((each) => each.table === table && each.operation === operation);
        const ours = here.find(({ isOurs }) => isOurs);
        if (ours?.isCurrent && here[0] === ours) return [];
        const first = here.find(({ isOurs }) => !isOurs);
        return [
          ...(ours ? [dropTrigger(database, ours.name)] : []),
          createTrigger(database, table, operation, first?.name),
        ];
      }),
    ),
  ];
}

type Trigger = {
  readonly name: string;
  readonly table: string;
  readonly operation: Operation;
  readonly isOurs: boolean;
  readonly isCurrent: boolean;
};

/** BEFORE triggers of the tables, each in the order in which they run. */
const triggersOf = async (
  database: FenceDatabase,
  connection: Connection,
  tables: readonly string[],
): Promise<readonly Trigger[]> =>
  (
    await rowsOf(
      connection,
      `SELECT TRIGGER_NAME name, EVENT_OBJECT_TABLE tbl, EVENT_MANIPULATION operation, ACTION_STATEMENT body
         FROM information_schema.TRIGGERS
        WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE IN (?) AND ACTION_TIMING = 'BEFORE'
        ORDER BY EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_ORDER`,
      [database.schema, tables],
    )
  ).map((row: RowDataPacket) => {
    const [name, table, operation] = [
      String(row['name']),
      String(row['tbl']),
      String(row['operation']) as Operation,
    ];
    return {
      name,
      table,
      operation,
      isOurs: name === triggerName(table, operation),
      isCurrent: isSameBody(String(row['body'] ?? ''), triggerBody(database, table)),
    };
  });

async function defectsOf(database: FenceDatabase, connection: Connection, tables: readonly string[]) {
  const triggers = await triggersOf(database, connection, tables);
  return tables.map((table) => ({
    table,
    defects: OPERATIONS.flatMap((operation) => {
      const ours = triggers.find(
        (each) => each.table === table && each.operation === operation && each.isOurs,
      );
      if (ours === undefined) return [`has no trigger ${quoted(triggerName(table, operation))}`];
      return ours.isCurrent ? [] : [`has a trigger ${quoted(ours.name)} that is not that of this version`];
    }),
  }));
}
