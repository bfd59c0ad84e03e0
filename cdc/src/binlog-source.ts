import { randomInt } from 'node:crypto';
import type { ChangeEvent, Offset, Row, SourceTransaction } from '@strangler/contracts';
import { StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2';
import { BoundedQueue } from './bounded-queue.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { type LogPosition, offsetOf, positionOf } from './binlog-offset.js';
import { connect, connectionOptions, type Database } from './connect.js';
import { decodeValue } from './decode.js';
import {
  logPurged,
  logUnreadable,
  rowImagePartial,
  statementNotFollowed,
  tableUnreadable,
} from './errors.js';
import { assertFollows } from './follow-columns.js';
import { LogReader } from './log-reader.js';
import { effectOf } from './statement.js';
import { readTable, type Table } from './table.js';

export type BinlogSourceOptions = {
  readonly database: Database;
  readonly tables: readonly CapturedTable[];
  /** Changes that may lie here unread before the log is held. */
  readonly bufferedChanges?: number;
  /** Milliseconds without any sign of the server after which the connection counts as dead. */
  readonly silenceMs?: number;
};

/** The events of ZongJi that are read here; the rows are as it decodes them. */
type LogEvent = {
  readonly timestamp: number;
  readonly nextPosition: number;
  readonly gtid?: string;
  readonly tableId: number;
  readonly columns_present_bitmap?: Uint8Array;
  readonly numberOfColumns?: number;
  readonly tableMap: Readonly<
    Record<number, { readonly parentSchema: string; readonly tableName: string } | undefined>
  >;
  readonly rows: readonly (Record<string, unknown> & {
    before: Record<string, unknown>;
    after: Record<string, unknown>;
  })[];
  readonly binlogName: string;
  readonly query: string;
  readonly schema: string;
  readonly onePhase?: boolean;
  getEventName(): string;
};

const INCLUDED = [
  'rotate',
  'tablemap',
  'writerows',
  'updaterows',
  'deleterows',
  'xid',
  'query',
  'gtid',
  'anonymousgtid',
  'mariadbgtid',
  'xaprepare',
  'heartbeat',
];
const LOG_GONE = new Set([1236, 1220]);

/** `SHOW MASTER STATUS` lost its name in MySQL 8.4 and found another in MariaDB. */
async function logEnd(connection: Connection): Promise<LogPosition> {
  const [rows] = await connection
    .query<RowDataPacket[]>('SHOW MASTER STATUS')
    .catch(() => connection.query<RowDataPacket[]>('SHOW BINARY LOG STATUS'));
  return { file: String(rows[0]?.['File']), position: Number(rows[0]?.['Position']) };
}

/** The log of a MySQL or MariaDB server, by file and position. A commit's GTID names the transaction where there is one. */
export function binlogSource(options: BinlogSourceOptions): ChangeSource {
  const { database } = options;
  const captured = new Map(options.tables.map((table) => [`${table.database}.${table.table}`, table]));
  const names: ReadonlySet<string> = new Set(captured.keys());

  const load = async (connection: Connection, name: string): Promise<Table> => {
    const { database: schema, table, columns } = captured.get(name) as CapturedTable;
    const found = await readTable(connection, schema, table);
    if (!found) throw tableUnreadable(name);
    assertFollows(undefined, found, columns);
    return found;
  };

  return {
    async now() {
      const connection = await connect(database);
      try {
        return offsetOf(await logEnd(connection));
      } finally {
        await connection.end();
      }
    },

    async *stream(from: Offset, signal: AbortSignal): AsyncGenerator<SourceTransaction> {
      const control = await connect(database);
      const tables = new Map<string, Table>();
      const reader = new LogReader({ ...connectionOptions(database) }, (schema, name) =>
        tables.get(`${schema}.${name}`),
      );
      const queue = new BoundedQueue<SourceTransaction>({
        limit: options.bufferedChanges ?? 20_000,
        onFull: () => reader.hold('full'),
        onRoom: () => reader.release('full'),
      });
      let at = positionOf(from);
      let transaction: { id: string | undefined; changes: ChangeEvent[] } = { id: undefined, changes: [] };
      let lastSign = Date.now();

      const fail = (cause: unknown) => {
        if (cause instanceof StranglerError) return queue.end(cause);
        const { errno } = cause as { errno?: number };
        queue.end(
          LOG_GONE.has(errno ?? 0)
            ? logPurged(database.name, offsetOf(at).text, cause)
            : logUnreadable(database.name, cause),
        );
      };
      const commit = (event: LogEvent) => {
        at = { file: at.file, position: event.nextPosition };
        const next = offsetOf(at);
        const { id, changes } = transaction;
        transaction = { id: undefined, changes: [] };
        if (changes.length > 0)
          queue.push({ id: id ?? next.text, next, committedAt: event.timestamp, changes }, changes.length);
      };
      const take = (event: LogEvent, operation: ChangeEvent['operation']) => {
        const map = event.tableMap[event.tableId];
        const table = map && tables.get(`${map.parentSchema}.${map.tableName}`);
        if (!table) return;
        if (!hasAllColumns(event)) throw rowImagePartial(table.name);
        for (const row of event.rows)
          transaction.changes.push({
            operation,
            database: table.database,
            table: table.name,
            before:
              operation === 'insert' ? null : decodeRow(table, operation === 'update' ? row.before : row),
            after: operation === 'delete' ? null : decodeRow(table, operation === 'update' ? row.after : row),
          });
      };
      const follow = async (name: string, statement: string) => {
        const { database: schema, table, columns } = captured.get(name) as CapturedTable;
        const found = await readTable(control, schema, table);
        if (!found) throw statementNotFollowed(table, statement);
        assertFollows(tables.get(name), found, columns);
        tables.set(name, found);
        reader.forgetTables();
      };
      const query = (event: LogEvent) => {
        const word = /^\s*(\w+)/.exec(event.query)?.[1]?.toLowerCase();
        if (word === 'begin' || word === 'savepoint') return;
        if (word === 'commit') return commit(event);
        if (word === 'rollback' && transaction.changes.length === 0) return;
        const short = event.query.trim().replaceAll(/\s+/g, ' ').slice(0, 120);
        if (word === 'rollback' || (word === 'xa' && transaction.changes.length > 0))
          throw statementNotFollowed(transaction.changes[0]?.table ?? '', short);
        const effect = effectOf(event.query, event.schema, names);
        if (effect.kind === 'none') return;
        const table = captured.get(effect.table)?.table ?? effect.table;
        if (effect.kind === 'breaks') throw statementNotFollowed(table, short);
        reader.hold('columns');
        follow(effect.table, short).then(() => reader.release('columns'), fail);
      };
      const read = (event: LogEvent) => {
        lastSign = Date.now();
        const name = event.getEventName();
        if (name === 'rotate')
          at = {
            file: event.binlogName,
            position: Math.max(4, event.binlogName === at.file ? at.position : 4),
          };
        else if (name === 'mariadbgtid' || name === 'gtid') transaction = { id: event.gtid, changes: [] };
        else if (name === 'anonymousgtid') transaction = { id: undefined, changes: [] };
        else if (name === 'xid') commit(event);
        else if (name === 'writerows') take(event, 'insert');
        else if (name === 'updaterows') take(event, 'update');
        else if (name === 'deleterows') take(event, 'delete');
        else if (name === 'query') query(event);
        else if (name === 'xaprepare' && event.onePhase) commit(event);
        else if (name === 'xaprepare' && transaction.changes.length > 0)
          throw statementNotFollowed(transaction.changes[0]?.table ?? '', 'XA PREPARE');
        reader.keepHolding();
      };

      const stop = () => queue.end();
      const silenceMs = options.silenceMs ?? 30_000;
      const watch = setInterval(() => {
        // While we hold the log back ourselves, no sign can come through.
        if (queue.isFull) lastSign = Date.now();
        else if (Date.now() - lastSign > silenceMs) fail(new Error(`no sign of it for ${silenceMs} ms`));
      }, silenceMs / 4);
      try {
        for (const name of names) tables.set(name, await load(control, name));
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) return;
        reader.on('error', fail);
        reader.on('ready', () => reader.askForHeartbeats(Math.max(1, Math.floor(silenceMs / 4000))));
        reader.on('binlog', (event: unknown) => {
          try {
            read(event as LogEvent);
          } catch (error) {
            fail(error);
          }
        });
        const start = at;
        reader.start({
          filename: start.file,
          position: start.position,
          // Of two readers with one number the server ends the older.
          serverId: randomInt(2 ** 31, 2 ** 32 - 1),
          includeEvents: INCLUDED,
          includeSchema: schemasOf(options.tables),
        });
        yield* queue;
      } finally {
        clearInterval(watch);
        signal.removeEventListener('abort', stop);
        queue.end();
        await new Promise<void>((done) => {
          reader.once('stopped', () => done());
          reader.stop();
        });
        control.destroy();
      }
    },
  };
}

const decodeRow = (table: Table, raw: Record<string, unknown>): Row =>
  Object.fromEntries(table.columns.map((column) => [column.name, decodeValue(column, raw[column.name])]));

function hasAllColumns(event: LogEvent): boolean {
  const bits = event.columns_present_bitmap;
  if (!bits || event.numberOfColumns === undefined) return true;
  let present = 0;
  for (let index = 0; index < event.numberOfColumns; index++)
    if (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) present++;
  return present === event.numberOfColumns;
}

function schemasOf(tables: readonly CapturedTable[]): Record<string, string[]> {
  const schemas: Record<string, string[]> = {};
  for (const { database, table } of tables) (schemas[database] ??= []).push(table);
  return schemas;
}
