import { StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { isUpTo, type LogPosition } from './binlog-offset.js';
import type { CapturedTable } from './change-source.js';
import type { ColumnHistory, TableAt } from './column-history.js';
import {
  columnGone,
  columnNotYet,
  columnsChangedTwice,
  statementNotFollowed,
  tableUnreadable,
} from './errors.js';
import { assertFollows } from './follow-columns.js';
import { logEnd } from './log-end.js';
import { columnOf, readTable, type Table } from './table.js';

/** The columns of captured tables at the place of the log that is being read. */
export type CapturedColumns = {
  tableOf(name: string): Table | undefined;
  /** Rows of the table came: its columns can no longer be those of a later statement. */
  hadRows(name: string): void;
  /** Reads the columns of every table as of a place of the log. */
  open(start: LogPosition): Promise<void>;
  /** Goes on with the columns behind a statement. Throws what the stream cannot go on from. */
  follow(name: string, statement: string, position: LogPosition): Promise<void>;
};

/**
 * Takes a place of the log together with the columns there: no statement has come between the look at them and the place. They are remembered, so that a stream
 * from there on need not read them again, when rows and a statement may be in the log already.
 */
export async function placeWithColumns<Place>(
  control: Connection,
  captured: ReadonlyMap<string, CapturedTable>,
  history: ColumnHistory,
  { take, positionOf }: { take: () => Promise<Place>; positionOf: (place: Place) => LogPosition },
): Promise<Place> {
  const look = async () => {
    const tables = new Map<string, Table>();
    for (const [name, { database, table }] of captured) {
      const found = await readTable(control, database, table);
      if (found) tables.set(name, found);
    }
    return tables;
  };
  const textOf = (tables: ReadonlyMap<string, Table>) => JSON.stringify([...tables]);
  for (let before = await look(); ;) {
    const place = await take();
    const after = await look();
    if (textOf(before) === textOf(after)) {
      const position = positionOf(place);
      for (const [name, table] of after) await history.add(name, position, { table, readUntil: position });
      return place;
    }
    before = after;
  }
}

export function capturedColumns(
  control: Connection,
  captured: ReadonlyMap<string, CapturedTable>,
  history: ColumnHistory,
): CapturedColumns {
  const tables = new Map<string, TableAt & { hasRows: boolean }>();
  /** Columns as they are now, remembered as those from `position` on. */
  const learn = async (name: string, position: LogPosition): Promise<TableAt> => {
    const { database: schema, table, columns } = captured.get(name) as CapturedTable;
    const found = await readTable(control, schema, table);
    if (!found) throw tableUnreadable(name);
    assertFollows(undefined, found, columns);
    const entry = { table: found, readUntil: await logEnd(control, position.kind) };
    await history.add(name, position, entry);
    return entry;
  };
  return {
    tableOf: (name) => tables.get(name)?.table,
    hadRows(name) {
      const entry = tables.get(name);
      if (entry) entry.hasRows = true;
    },
    async open(start) {
      for (const [name, { database, table, columns }] of captured) {
        const entry = (await history.at(name, start)) ?? (await learn(name, start));
        const missing = columns.find((column) => !columnOf(entry.table, column));
        if (missing !== undefined) {
          const now = await readTable(control, database, table);
          throw (now && columnOf(now, missing) ? columnNotYet : columnGone)(table, missing);
        }
        assertFollows(undefined, entry.table, columns);
        tables.set(name, { ...entry, hasRows: false });
      }
    },
    async follow(name, statement, position) {
      const { table, columns, onAdded } = captured.get(name) as CapturedTable;
      const before = tables.get(name);
      if (before?.hasRows && isUpTo(position, before.readUntil)) throw columnsChangedTwice(table);
      const entry =
        (await history.exactly(name, position)) ??
        (await learn(name, position).catch((error: unknown) => {
          throw error instanceof StranglerError && error.code === 'TABLE_UNREADABLE'
            ? statementNotFollowed(table, statement)
            : error;
        }));
      assertFollows(before?.table, entry.table, columns, statement);
      const added = entry.table.columns.filter(
        (column) => before && !columnOf(before.table, column.name) && !columns.includes(column.name),
      );
      if (added.length > 0) onAdded?.(added.map((column) => column.name));
      tables.set(name, { ...entry, hasRows: false });
    },
  };
}
