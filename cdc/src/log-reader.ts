import ZongJi from '@vlasky/zongji';
import type { StranglerError } from '@strangler/contracts';
import { columnsChangedTwice } from './errors.js';
import { baseTypeOf } from './column.js';
import type { Table } from './table.js';

/** What the reader keeps of a column; the names are those of `information_schema`. */
type ColumnSchema = {
  readonly COLUMN_NAME: string;
  readonly COLLATION_NAME: null;
  readonly CHARACTER_SET_NAME: string | null;
  readonly COLUMN_COMMENT: '';
  readonly COLUMN_TYPE: string;
  readonly ENUM_VALUES?: readonly string[];
  readonly SET_VALUES?: readonly string[];
};
export type TableMapEvent = {
  readonly tableId: number;
  readonly schemaName: string;
  readonly tableName: string;
  readonly columnCount: number;
  readonly columnTypes: number[];
  readonly columnNames?: readonly string[];
  updateColumnInfo(): void;
};
type Pausable = { pause(): void; resume(): void; query(sql: string, done: (error: unknown) => void): void };
/** Asked for every event before it is decoded. */
const INCLUDED = '_includeEventsSet';
type Inside = {
  readonly tableMap: Record<number, unknown>;
  readonly connection: Pausable | null;
  readonly [INCLUDED]?: Set<string>;
};

const NUMBERS = {
  1: 'tinyint',
  2: 'smallint',
  3: 'int',
  4: 'float',
  5: 'double',
  8: 'bigint',
  9: 'mediumint',
  13: 'year',
  16: 'bit',
  246: 'decimal',
};
const TIMES = {
  7: 'timestamp',
  10: 'date',
  11: 'time',
  12: 'datetime',
  17: 'timestamp',
  18: 'datetime',
  19: 'time',
};
/** Types of the log's table map (`enum_field_types` of the servers) by the declared types that can only be theirs. The others share one. */
const DECLARED_AS: Readonly<Record<number, string>> = { ...NUMBERS, ...TIMES };
const HAVE_THEIR_OWN = new Set(Object.values(DECLARED_AS));

const [JSON_TYPE, BLOB_TYPE] = [245, 252];

/** Whether rows of this table map can be those of the table as we know it. */
function fits(event: TableMapEvent, table: Table): boolean {
  return (
    event.columnCount === table.columns.length &&
    table.columns.every((column, index) => {
      const declared = DECLARED_AS[event.columnTypes[index] ?? -1];
      const type = baseTypeOf(column.type);
      const isNamed = event.columnNames === undefined || event.columnNames[index] === column.name;
      return isNamed && (declared === undefined ? !HAVE_THEIR_OWN.has(type) : declared === type);
    })
  );
}

/** Text stays bytes: the reader's own decoding knows other code pages than the server. */
const schemaOf = (table: Table): readonly ColumnSchema[] =>
  table.columns.map((column) => ({
    COLUMN_NAME: column.name,
    COLLATION_NAME: null,
    CHARACTER_SET_NAME: null,
    COLUMN_COMMENT: '',
    COLUMN_TYPE: column.kind === 'text' ? 'varbinary' : column.type,
    ...(column.kind === 'enum' ? { ENUM_VALUES: column.labels } : {}),
    ...(column.kind === 'set' ? { SET_VALUES: column.labels } : {}),
  }));

const ROW_EVENTS = ['writerows', 'updaterows', 'deleterows'];

/**
 * ZongJi with the columns of tables given to it, in place of its own query, which would read them as they are now and not as they were
 * when the row was logged.
 */
export class LogReader extends ZongJi {
  readonly #tableOf: (schema: string, name: string) => Table | undefined;
  readonly #holds = new Set<string>();

  constructor(options: object, tableOf: (schema: string, name: string) => Table | undefined) {
    super(options);
    this.#tableOf = tableOf;
  }

  /** Called by ZongJi for the first event of a table, between a pause and a resume of its own. */
  _fetchTableInfo(event: TableMapEvent, next: () => void): void {
    const refusal = this.giveColumns(event);
    if (refusal) this.emit('error', refusal);
    else next();
  }

  /** From now on rows are neither decoded nor delivered, or are again. Only for a reader that was told which events to include. */
  skipRows(isSkipping: boolean): void {
    for (const name of ROW_EVENTS)
      if (isSkipping) this.#inside[INCLUDED]?.delete(name);
      else this.#inside[INCLUDED]?.add(name);
  }

  /** Would be an error that looks as if it might pass; the assembler is given the event itself and knows what it means. */
  _warnUnsupportedEvent(): void {}

  /**
   * Tells the reader our columns for a table map, also where the event brings its own. Returns why it cannot be done: the table was not like this
   * when the rows were logged.
   */
  giveColumns(event: TableMapEvent): StranglerError | undefined {
    const table = this.#tableOf(event.schemaName, event.tableName);
    if (!table || !fits(event, table)) return columnsChangedTwice(event.tableName);
    // Documents stay bytes too.
    for (const [index, type] of event.columnTypes.entries())
      if (type === JSON_TYPE) event.columnTypes[index] = BLOB_TYPE;
    this.#inside.tableMap[event.tableId] = {
      columnSchemas: schemaOf(table),
      parentSchema: event.schemaName,
      tableName: event.tableName,
    };
    return undefined;
  }

  /** Forgets the columns of every table, so that the next event of each asks again. */
  forgetTables(): void {
    for (const id of Object.keys(this.#inside.tableMap)) delete this.#inside.tableMap[Number(id)];
  }

  /** No event is delivered while one or more reasons hold. */
  hold(reason: string): void {
    this.#holds.add(reason);
    this.#inside.connection?.pause();
  }

  release(reason: string): void {
    if (this.#holds.delete(reason) && this.#holds.size === 0) this.#inside.connection?.resume();
  }

  /** ZongJi resumes by itself after a table's first event: what is held stays held. */
  keepHolding(): void {
    if (this.#holds.size > 0) this.#inside.connection?.pause();
  }

  /** Lets the server say every few seconds that it is there, so that a dead connection shows. */
  askForHeartbeats(seconds: number): void {
    const period = seconds * 1e9;
    this.#inside.connection?.query(
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
      () => {},
    );
  }

  get #inside(): Inside {
    return inside(this);
  }
}

/** Fields of ZongJi that its types leave out. */
const inside = (reader: object): Inside => reader as Inside;
