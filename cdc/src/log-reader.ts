import ZongJi from '@vlasky/zongji';
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
type TableMapEvent = { readonly tableId: number; readonly schemaName: string; readonly tableName: string };
type Pausable = { pause(): void; resume(): void; query(sql: string, done: (error: unknown) => void): void };

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

/**
 * ZongJi with the columns of tables given to it, in place of its own query that would read them as they are now and not as they were
 * when the row was logged.
 */
export class LogReader extends ZongJi {
  readonly #tableOf: (schema: string, name: string) => Table | undefined;
  readonly #holds = new Set<string>();

  constructor(options: object, tableOf: (schema: string, name: string) => Table | undefined) {
    super(options as ConstructorParameters<typeof ZongJi>[0]);
    this.#tableOf = tableOf;
  }

  /** Called by ZongJi for the first event of a table, between a pause and a resume of its own. */
  _fetchTableInfo(event: TableMapEvent, next: () => void): void {
    const table = this.#tableOf(event.schemaName, event.tableName);
    if (!table) {
      this.emit('error', new Error(`table "${event.schemaName}.${event.tableName}" is not known`));
      return;
    }
    (this as unknown as { tableMap: Record<number, unknown> }).tableMap[event.tableId] = {
      columnSchemas: schemaOf(table),
      parentSchema: event.schemaName,
      tableName: event.tableName,
    };
    next();
  }

  /** Forgets the columns of every table, so that the next event of each asks again. */
  forgetTables(): void {
    const maps = (this as unknown as { tableMap: Record<number, unknown> }).tableMap;
    for (const id of Object.keys(maps)) delete maps[Number(id)];
  }

  /** No event is delivered while one or more reasons hold. */
  hold(reason: string): void {
    this.#holds.add(reason);
    this.#connection?.pause();
  }

  release(reason: string): void {
    this.#holds.delete(reason);
    if (this.#holds.size === 0) this.#connection?.resume();
  }

  /** ZongJi resumes by itself after a table's first event: what is held stays held. */
  keepHolding(): void {
    if (this.#holds.size > 0) this.#connection?.pause();
  }

  /** Lets the server say every few seconds that it is there, so that a dead connection shows. */
  askForHeartbeats(seconds: number): void {
    this.#connection?.query(
      `SET @master_heartbeat_period = ${seconds * 1e9}, @source_heartbeat_period = ${seconds * 1e9}`,
      () => {},
    );
  }

  get #connection(): Pausable | null {
    return (this as unknown as { connection: Pausable | null }).connection;
  }
}
