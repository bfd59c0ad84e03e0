import type { ChangeEvent, Offset, Row, SourceTransaction } from '@strangler/contracts';
import type { LogPosition } from './binlog-offset.js';
import type { CapturedTable } from './change-source.js';
import { type DebeziumRecord, type EventRow, readRecord } from './debezium-record.js';
import { decodeEventValue } from './debezium-value.js';
import { logReplaced, recordUnknown, statementNotFollowed } from './errors.js';
import type { LogRecord } from './record-log.js';
import { compareCoordinates, isAfter, type TopicOffset, topicOffsetText } from './source-coordinate.js';
import { effectOf, isTruncate } from './statement.js';
import type { Table } from './table.js';

export type RecordAssemblerOptions = {
  readonly topic: string;
  readonly start: TopicOffset;
  /** By `schema.table`. */
  readonly captured: ReadonlyMap<string, CapturedTable>;
  readonly tableOf: (name: string) => Table | undefined;
  readonly onRows: (name: string) => void;
  /** Bytes of memory from which a transaction is handed out in pieces. */
  readonly pieceBytes: number;
  /** A TRUNCATE is a change in place of an end. */
  readonly yieldsTruncate?: boolean;
};

/** What a record completes; an `alter` has to be followed before the next record is given. */
export type Assembled =
  | { readonly transaction: SourceTransaction }
  | { readonly alter: { readonly name: string; readonly statement: string; readonly at: LogPosition } }
  | undefined;

/** A transaction whose END has not come. */
type Open = {
  readonly id: string;
  /** Where it can be read again from its beginning. */
  readonly begin: Offset;
  changes: ChangeEvent[];
  /** Of the records of `changes`. */
  bytes: number;
  /** A table of it, of whose pieces some may be handed out already. */
  table: string | undefined;
};

const STATEMENT_SHOWN = 120;
// What becomes of a record in memory: both images as strings, and objects that hold them.
const MEMORY_FACTOR = 3;

/**
 * Puts the records of a connector's topic together to committed transactions. Records at or before a coordinate that was had are left out: after a
 * crash Connect publishes again, from any earlier place, also from the middle of a transaction. Only its END closes a transaction. One that goes on without
 * an END was prepared (XA) or taken back, and what of it counts nobody can say. The returned function throws what the stream cannot go on from.
 */
export function recordAssembler(options: RecordAssemblerOptions): (record: LogRecord) => Assembled {
  const { topic, start, captured, tableOf } = options;
  const names = new Set(captured.keys());
  let last = start.last;
  let lastTransaction = start.transaction;
  let open: Open | undefined;
  let leaving: (DebeziumRecord & { kind: 'row' }) | undefined;

  const assertClosed = (statement: string, id?: string) => {
    if (open && open.id !== id)
      throw statementNotFollowed(open.table ?? '', `${statement} or ROLLBACK, or a lost record`);
  };

  const take = (row: DebeziumRecord & { kind: 'row' }, { offset, value }: LogRecord): void => {
    if (compareCoordinates(row.at, last) <= 0) {
      if (isAfter(row.transaction, lastTransaction)) throw logReplaced(topic, row.transaction);
      return;
    }
    assertClosed('XA PREPARE', row.transaction);
    const isSecond = row.operation === 'arrives';
    if (isSecond !== (leaving !== undefined))
      throw recordUnknown(topic, String(offset), 'is half of a change of key');
    open ??= {
      id: row.transaction,
      begin: topicOffsetText({ next: offset, last, transaction: lastTransaction }),
      changes: [],
      bytes: 0,
      table: undefined,
    };
    last = row.at;
    lastTransaction = row.transaction;
    if (row.operation === 'leaves') {
      leaving = row;
      return;
    }
    const name = `${row.database}.${row.table}`;
    const [table, wanted] = [tableOf(name), captured.get(name)];
    const before = leaving?.before ?? row.before;
    leaving = undefined;
    if (!table || !wanted) return;
    options.onRows(name);
    open.table ??= table.name;
    open.bytes += (value?.length ?? 0) * MEMORY_FACTOR;
    open.changes.push({
      operation: row.operation === 'arrives' ? 'update' : row.operation,
      database: table.database,
      table: table.name,
      before: before && decodeRow(table, wanted, before),
      after: row.after && decodeRow(table, wanted, row.after),
    });
  };

  const statement = (
    { sql, schema, at, committedAt }: DebeziumRecord & { kind: 'statement' },
    { offset }: LogRecord,
  ): Assembled => {
    // One statement can come as several records, one for each table it names, all at one place.
    if (compareCoordinates(at, last) < 0) return undefined;
    last = at;
    assertClosed('XA PREPARE');
    const effect = effectOf(sql, schema, names);
    const shown = sql.trim().replaceAll(/\s+/g, ' ').slice(0, STATEMENT_SHOWN);
    if (effect.kind === 'breaks' && options.yieldsTruncate && isTruncate(sql)) {
      const dot = effect.table.indexOf('.');
      const [database, table] = [effect.table.slice(0, dot), effect.table.slice(dot + 1)];
      const change = { operation: 'truncate' as const, database, table, before: null, after: null };
      const next = topicOffsetText({ next: offset + 1n, last, transaction: lastTransaction });
      return { transaction: { id: next.text, next, committedAt, changes: [change] } };
    }
    if (effect.kind === 'breaks')
      throw statementNotFollowed(effect.table.slice(effect.table.indexOf('.') + 1), shown);
    return effect.kind === 'alters' ? { alter: { name: effect.table, statement: shown, at } } : undefined;
  };

  const handOutPiece = (of: Open, { committedAt }: { readonly committedAt: number }): Assembled => {
    const { id, begin, changes, bytes } = of;
    of.changes = [];
    of.bytes = 0;
    return {
      transaction: { id, next: begin, committedAt, changes, bytes, isContinued: true },
    };
  };

  return (record) => {
    const read = readRecord(topic, record);
    if (read.kind === 'statement') return statement(read, record);
    if (read.kind === 'row') {
      take(read, record);
      return open && !leaving && open.bytes >= options.pieceBytes ? handOutPiece(open, read) : undefined;
    }
    if (read.kind !== 'end' || open?.id !== read.transaction) return undefined;
    if (leaving) throw recordUnknown(topic, String(record.offset), 'lacks half of a change of key');
    const { id, changes, bytes, table } = open;
    open = undefined;
    if (table === undefined) return undefined;
    const next = topicOffsetText({ next: record.offset + 1n, last, transaction: id });
    return { transaction: { id, next, committedAt: read.committedAt, changes, bytes } };
  };
}

/** A column that nobody asked for is left out when Debezium does not carry it. */
function decodeRow(table: Table, { columns }: CapturedTable, raw: EventRow): Row {
  const entries = table.columns.flatMap((column) => {
    try {
      return [[column.name, decodeEventValue(table.name, column, raw[column.name])] as const];
    } catch (error) {
      if (columns.includes(column.name)) throw error;
      return [];
    }
  });
  return Object.fromEntries(entries);
}
