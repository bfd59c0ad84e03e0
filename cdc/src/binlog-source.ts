import { randomInt } from 'node:crypto';
import { reasonOf, type SourceTransaction, StranglerError } from '@strangler/contracts';
import { memoryTaken } from './memory-taken.js';
import { assembler, type LogEvent } from './assemble.js';
import { type LogPosition, offsetOf, positionOf } from './binlog-offset.js';
import { capturedColumns, placeWithColumns } from './captured-columns.js';
import { BoundedQueue } from './bounded-queue.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { type ColumnHistory, memoryColumnHistory } from './column-history.js';
import { connect, connectionOptions, type Database } from './connect.js';
import { errnoOf } from './database-errors.js';
import { logBehind, logPurged, logUnreadable } from './errors.js';
import { gtidText } from './gtid-set.js';
import { assertGoesOn, logEnd } from './log-end.js';
import { LogReader, type TableMapEvent } from './log-reader.js';

export type BinlogSourceOptions = {
  readonly database: Database;
  readonly tables: readonly CapturedTable[];
  /** Remembers the columns of tables by position; in memory only when left out. */
  readonly history?: ColumnHistory;
  /** Yields a TRUNCATE as a change; without it, it throws STATEMENT_NOT_FOLLOWED. */
  readonly yieldsTruncate?: boolean;
  /** `schema.table`: behind its row the rest of a transaction is not decoded and left out. */
  readonly onlyUntil?: string;
  /** Memory that changes may take here unread before the log is held; pieces of large transactions are a quarter of it. */
  readonly bufferedBytes?: number;
  /** Milliseconds without any sign of the server after which the connection counts as dead. */
  readonly silenceMs?: number;
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
  'transactionpayload',
  'partialupdaterows',
];
const BEGINS = new Set(['gtid', 'anonymousgtid', 'mariadbgtid']);
/** ER_MASTER_FATAL_ERROR_READING_BINLOG and ER_ERROR_WHEN_EXECUTING_COMMAND: the file or the position is not there. */
const LOG_GONE = new Set([1236, 1220]);
/** What MariaDB says of a position whose transactions it does not have, or has others in their place. */
const NOT_THERE = /not in the (?:master|primary|source)'s binlog/i;

/** The log of a MySQL or MariaDB server: by the ids of transactions where it has them, else by file and position. */
export function binlogSource(options: BinlogSourceOptions): ChangeSource {
  const {
    database,
    history = memoryColumnHistory(),
    silenceMs = 30_000,
    bufferedBytes = 8_000_000,
  } = options;
  const captured = new Map(options.tables.map((table) => [`${table.database}.${table.table}`, table]));

  return {
    async now() {
      const connection = await connect(database);
      try {
        const take = () => logEnd(connection);
        return offsetOf(
          await placeWithColumns(connection, captured, history, { take, positionOf: (position) => position }),
        );
      } finally {
        connection.destroy();
      }
    },
    async *stream(from, signal) {
      if (signal.aborted) return;
      const start = positionOf(from);
      const control = await connect(database);
      const columns = capturedColumns(control, captured, history);
      const reader = new LogReader(connectionOptions(database), (schema, name) =>
        columns.tableOf(`${schema}.${name}`),
      );
      const queue = new BoundedQueue<SourceTransaction>({
        limit: bufferedBytes,
        onFull: () => reader.hold('full'),
        onRoom: () => reader.release('full'),
      });
      let lastSign = performance.now();

      const follow = async (name: string, statement: string, position: LogPosition) => {
        await columns.follow(name, statement, position);
        reader.forgetTables();
      };
      const fail = (cause: unknown) => {
        if (cause instanceof StranglerError) return queue.end(cause);
        if (!LOG_GONE.has(errnoOf(cause))) return queue.end(logUnreadable(database.name, cause));
        queue.end(
          NOT_THERE.test(reasonOf(cause))
            ? logBehind(database.name, from.text)
            : logPurged(database.name, from.text, cause),
        );
      };
      const read = assembler({
        start,
        captured: new Set(captured.keys()),
        tableOf: (name) => columns.tableOf(name),
        onTransaction: (transaction) => queue.push(transaction, memoryTaken(transaction)),
        yieldsTruncate: options.yieldsTruncate ?? false,
        pieceBytes: bufferedBytes / 4,
        onRows: (name) => columns.hadRows(name),
        onAlter(name, statement, position) {
          reader.hold('columns');
          follow(name, statement, position).then(() => reader.release('columns'), fail);
        },
      });
      const onEvent = (event: LogEvent & TableMapEvent) => {
        lastSign = performance.now();
        try {
          // Under binlog_row_metadata=FULL the event brings columns of its own, decoded by the reader's rules.
          if (event.getEventName() === 'tablemap' && event.columnNames) {
            const refusal = reader.giveColumns(event);
            if (refusal) throw refusal;
            event.updateColumnInfo();
          }
          const name = event.getEventName();
          if (options.onlyUntil !== undefined && BEGINS.has(name)) reader.skipRows(false);
          read(event);
          const map = event.tableMap?.[event.tableId];
          if (map && name.endsWith('rows') && `${map.parentSchema}.${map.tableName}` === options.onlyUntil)
            reader.skipRows(true);
        } catch (error) {
          fail(error);
        }
        reader.keepHolding();
      };
      const stop = () => queue.end();
      const watch = setInterval(() => {
        // While we hold the log back ourselves, no sign can come through.
        if (queue.isFull) lastSign = performance.now();
        else if (performance.now() - lastSign > silenceMs)
          fail(new Error(`no sign of it for ${silenceMs} ms`));
      }, silenceMs / 4);
      signal.addEventListener('abort', stop, { once: true });
      // It may have been aborted while the connection was made; then the listener would never be called.
      if (signal.aborted) stop();
      try {
        if (start.kind === 'gtid') await assertGoesOn(control, database.name, start);
        await columns.open(start);
        reader.on('error', fail);
        reader.on('ready', () => reader.askForHeartbeats(Math.max(1, Math.floor(silenceMs / 4_000))));
        reader.on('binlog', (event: unknown) => onEvent(event as LogEvent & TableMapEvent));
        reader.start({
          ...(start.kind === 'gtid'
            ? { gtidSet: gtidText(start.executed) }
            : { filename: start.file, position: start.position }),
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

function schemasOf(tables: readonly CapturedTable[]): Record<string, string[]> {
  const schemas: Record<string, string[]> = {};
  for (const { database, table } of tables) (schemas[database] ??= []).push(table);
  return schemas;
}
