import type { ChangeEvent, SourceTransaction } from '@strangler/contracts';
import { type LogPosition, offsetOf } from './binlog-offset.js';
import { decodeRow, type RawValue } from './decode.js';
import { logNotDecodable, logTooLong, rowImagePartial, statementNotFollowed } from './errors.js';
import { withGtid } from './gtid-set.js';
import { effectOf, isTruncate } from './statement.js';
import type { Table } from './table.js';

type RawRow = Readonly<Record<string, RawValue>>;

/** The events of ZongJi that are read here; the rows are as it decodes them. */
export type LogEvent = {
  readonly timestamp: number;
  readonly size: number;
  readonly nextPosition: number;
  readonly gtid?: string;
  readonly tableId: number;
  readonly columns_present_bitmap?: Uint8Array;
  readonly columns_present_bitmap2?: Uint8Array;
  readonly numberOfColumns?: number;
  readonly tableMap: Readonly<
    Record<number, { readonly parentSchema: string; readonly tableName: string } | undefined>
  >;
  readonly rows: readonly (RawRow & { readonly before: RawRow; readonly after: RawRow })[];
  readonly binlogName: string;
  readonly query: string;
  readonly schema: string;
  readonly slaveProxyId?: number;
  readonly onePhase?: boolean;
  getEventName(): string;
};

export type AssemblerOptions = {
  readonly start: LogPosition;
  /** `schema.table` of everything captured. */
  readonly captured: ReadonlySet<string>;
  readonly tableOf: (name: string) => Table | undefined;
  readonly onTransaction: (transaction: SourceTransaction) => void;
  /** Changes that make a piece of a transaction, by the memory they take. */
  readonly pieceBytes: number;
  /** Whether a TRUNCATE is a change; else it is a statement that cannot be followed. */
  readonly yieldsTruncate: boolean;
  readonly onRows: (name: string) => void;
  /** A statement that may have changed the columns of a captured table; `position` is behind it. */
  readonly onAlter: (name: string, statement: string, position: LogPosition) => void;
};

const STATEMENT_SHOWN = 120;
// Logged once a temporary table or one without transactions was written, and only then: else the server leaves rows that were taken back out.
const SAVEPOINT = /^\s*(SAVEPOINT|ROLLBACK(?:\s+WORK)?\s+TO(?:\s+SAVEPOINT)?)\s+(`(?:[^`]|``)+`|\w+)\s*$/i;

/** Puts the events of a log together to committed transactions. The returned function throws what the stream cannot go on from. */
export function assembler(options: AssemblerOptions): (event: LogEvent) => void {
  let at = options.start;
  let id: string | undefined;
  let changes: ChangeEvent[] = [];
  let bytes = 0;
  let thread: number | undefined;
  /** A table of the transaction, of whose pieces some are handed out already. */
  let handedOut: string | undefined;
  /** How much there was of the transaction when it could last be rolled back to there; none of before a piece that was handed out. */
  const savepoints = new Map<string, { readonly count: number; readonly bytes: number }>();

  /** The place behind the transaction that is being read. */
  const behind = (event: LogEvent): LogPosition =>
    at.kind === 'file'
      ? { ...at, position: event.nextPosition }
      : { kind: 'gtid', executed: id === undefined ? at.executed : withGtid(at.executed, id) };
  const letGo = () => {
    changes = [];
    bytes = 0;
    savepoints.clear();
  };
  const handOn = (event: LogEvent, more: { readonly isContinued?: true } = {}) => {
    const next = offsetOf(at);
    options.onTransaction({
      id: id ?? next.text,
      next,
      committedAt: event.timestamp,
      changes,
      bytes,
      ...more,
      ...(thread === undefined ? {} : { thread }),
    });
    // Of what was handed on nothing can be taken back.
    letGo();
  };
  const begin = (name: string | undefined) => {
    // A transaction that the log breaks off was never committed, and its pieces cannot be taken back here.
    if (handedOut !== undefined) throw statementNotFollowed(handedOut, 'a transaction without an end');
    // A statement that commits by itself has no mark at its end.
    if (at.kind === 'gtid' && id !== undefined) at = { kind: 'gtid', executed: withGtid(at.executed, id) };
    id = name;
    thread = undefined;
    letGo();
  };
  const hasRows = (): string | undefined => handedOut ?? changes[0]?.table;
  const handOutPiece = (event: LogEvent) => {
    handedOut = hasRows();
    handOn(event, { isContinued: true });
  };
  const commit = (event: LogEvent) => {
    // Positions have four bytes: behind 4 GiB they begin again at zero.
    if (at.kind === 'file' && event.nextPosition < at.position) throw logTooLong(at.file);
    at = behind(event);
    if (hasRows() === undefined) letGo();
    else handOn(event);
    handedOut = undefined;
    id = undefined;
  };
  const take = (event: LogEvent, operation: ChangeEvent['operation']) => {
    const map = event.tableMap[event.tableId];
    const name = map && `${map.parentSchema}.${map.tableName}`;
    const table = name && options.tableOf(name);
    if (!table) return;
    if (!hasAllColumns(event)) throw rowImagePartial(table.name);
    options.onRows(name);
    for (const row of event.rows)
      changes.push({
        operation,
        database: table.database,
        table: table.name,
        before: operation === 'insert' ? null : decodeRow(table, operation === 'update' ? row.before : row),
        after: operation === 'delete' ? null : decodeRow(table, operation === 'update' ? row.after : row),
      });
    bytes += memoryOf(event, table);
    if (bytes >= options.pieceBytes) handOutPiece(event);
  };
  /** Takes back what came behind the savepoint; false when nobody can tell what that is. */
  const rollBackTo = (name: string): boolean => {
    const to = savepoints.get(name);
    if (!to) return false;
    // Tables without transactions keep their rows.
    const isKept = ({ database, table }: ChangeEvent) =>
      options.tableOf(`${database}.${table}`)?.engine !== 'innodb';
    if (changes.slice(to.count).some(isKept)) return false;
    changes.length = to.count;
    bytes = to.bytes;
    return true;
  };
  const query = (event: LogEvent) => {
    const word = /^\s*(\w+)/.exec(event.query)?.[1]?.toLowerCase();
    const shown = event.query.trim().replaceAll(/\s+/g, ' ').slice(0, STATEMENT_SHOWN);
    const [, savepoint, quoted] = SAVEPOINT.exec(event.query) ?? [];
    const name = quoted?.replaceAll('`', '');
    if (name !== undefined && savepoint?.toLowerCase() === 'savepoint')
      return void savepoints.set(name, { count: changes.length, bytes });
    if (name !== undefined && rollBackTo(name)) return;
    if (word === 'begin') thread = event.slaveProxyId;
    if (word === 'begin' || word === 'savepoint' || word === 'release') return;
    if (word === 'commit') return commit(event);
    // A rollback is logged when tables without transactions were written too; what of the rest it takes back the log does not say.
    if (word === 'rollback' || word === 'xa') {
      const table = hasRows();
      if (table !== undefined) throw statementNotFollowed(table, shown);
      return;
    }
    const effect = effectOf(event.query, event.schema, options.captured);
    if (effect.kind === 'breaks' && options.yieldsTruncate && isTruncate(event.query)) {
      const [database = '', table = ''] = splitName(effect.table);
      changes.push({ operation: 'truncate', database, table, before: null, after: null });
      return commit(event);
    }
    if (effect.kind === 'breaks')
      throw statementNotFollowed(effect.table.slice(effect.table.indexOf('.') + 1), shown);
    if (effect.kind === 'alters') options.onAlter(effect.table, shown, behind(event));
  };

  return (event) => {
    switch (event.getEventName()) {
      case 'rotate':
        // The server announces the file it starts with; only another file begins at its beginning.
        if (at.kind === 'file' && event.binlogName !== at.file)
          at = { kind: 'file', file: event.binlogName, position: 4 };
        return;
      case 'mariadbgtid':
      case 'gtid':
        return begin(event.gtid);
      case 'anonymousgtid':
        if (at.kind === 'gtid') throw logNotDecodable('transactions without an id', '"gtid_mode = ON"');
        return begin(undefined);
      case 'transactionpayload':
        throw logNotDecodable('compressed transactions', '"binlog_transaction_compression = OFF"');
      case 'partialupdaterows':
        throw logNotDecodable('parts of JSON values', 'an empty "binlog_row_value_options"');
      case 'writerows':
        return take(event, 'insert');
      case 'updaterows':
        return take(event, 'update');
      case 'deleterows':
        return take(event, 'delete');
      case 'xid':
        return commit(event);
      case 'query':
        return query(event);
      case 'xaprepare': {
        if (event.onePhase) return commit(event);
        // Its commit is another transaction, which may come after a restart that has forgotten these rows.
        const table = hasRows();
        if (table !== undefined) throw statementNotFollowed(table, 'XA PREPARE');
      }
    }
  };
}

/** A string takes some forty bytes before its first letter, and a number of the log becomes one. */
const memoryOf = ({ rows, size }: LogEvent, table: Table): number =>
  2 * size + rows.length * (120 + 80 * table.columns.length);

const splitName = (name: string): readonly string[] => [
  name.slice(0, name.indexOf('.')),
  name.slice(name.indexOf('.') + 1),
];

const hasAllColumns = ({
  columns_present_bitmap,
  columns_present_bitmap2,
  numberOfColumns = 0,
}: LogEvent): boolean =>
  [columns_present_bitmap, columns_present_bitmap2].every((bits) => {
    for (let index = 0; index < numberOfColumns; index++)
      if (bits && (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 0) return false;
    return true;
  });
