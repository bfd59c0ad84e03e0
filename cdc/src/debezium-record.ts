import type { Operation } from '@strangler/contracts';
import type { EventValue } from './debezium-value.js';
import { recordUnknown, statementNotFollowed } from './errors.js';
import type { LogRecord } from './record-log.js';
import type { SourceCoordinate } from './source-coordinate.js';

export type EventRow = Readonly<Record<string, EventValue>>;

/** What a record of a connector's topic says. `nothing`: a heartbeat, the beginning of a transaction, the tables as the connector found them. */
export type DebeziumRecord =
  | {
      readonly kind: 'row';
      /** `leaves` and `arrives` are the two halves of an update that changes the key. */
      readonly operation: Operation | 'leaves' | 'arrives';
      readonly database: string;
      readonly table: string;
      readonly before: EventRow | null;
      readonly after: EventRow | null;
      readonly at: SourceCoordinate;
      readonly transaction: string;
      readonly committedAt: number;
    }
  | { readonly kind: 'end'; readonly transaction: string; readonly committedAt: number }
  | {
      readonly kind: 'statement';
      readonly sql: string;
      readonly schema: string;
      readonly at: SourceCoordinate;
      readonly committedAt: number;
    }
  | { readonly kind: 'nothing' };

type Parsed = {
  readonly status?: string;
  readonly id?: string;
  readonly op?: string;
  readonly ddl?: string;
  readonly databaseName?: string | null;
  readonly ts_ms?: string;
  readonly before?: EventRow | null;
  readonly after?: EventRow | null;
  readonly transaction?: { readonly id: string } | null;
  readonly source?: {
    readonly snapshot: string | boolean;
    readonly db: string;
    readonly table: string;
    readonly file: string;
    readonly pos: string;
    readonly row: string;
    readonly ts_ms: string;
  };
};

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON whose numbers become strings with all their digits: JSON.parse would round those past 2^53. */
const parseExactly = (json: string): unknown =>
  JSON.parse(json.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`)));

const OPERATIONS: Readonly<Record<string, Operation>> = { c: 'insert', u: 'update', d: 'delete' };

/** Reads a record as the connector of connector-config.ts writes it. Throws RECORD_UNKNOWN. */
export function readRecord(topic: string, record: LogRecord): DebeziumRecord {
  const unknown = (what: string) => recordUnknown(topic, String(record.offset), what);
  if (record.value === null) throw unknown('has no value');
  const value = parseExactly(record.value) as Parsed;
  if (value.status !== undefined)
    return value.status === 'END' && value.id !== undefined
      ? { kind: 'end', transaction: value.id, committedAt: Number(value.ts_ms) }
      : { kind: 'nothing' };
  const { source } = value;
  if (!source) return { kind: 'nothing' };
  // Snapshots hold what our own backfill copies, and the tables as they were when the connector came.
  if (String(source.snapshot) !== 'false' || value.op === 'r') return { kind: 'nothing' };
  const committedAt = Number(source.ts_ms);
  const at: SourceCoordinate = {
    kind: 'file',
    file: source.file,
    position: Number(source.pos),
    row: Number(source.row),
    half: 1,
  };
  if (value.ddl !== undefined)
    return { kind: 'statement', sql: value.ddl, schema: value.databaseName ?? '', at, committedAt };
  if (value.op === 't')
    return {
      kind: 'statement',
      sql: `TRUNCATE TABLE \`${source.table}\``,
      schema: source.db,
      at,
      committedAt,
    };
  const operation = OPERATIONS[value.op ?? ''];
  if (!operation) throw unknown(`has the operation "${value.op ?? ''}"`);
  // Rows of an XA transaction come without a BEGIN from MySQL, and whether they count nobody can say.
  if (!value.transaction) throw statementNotFollowed(source.table, 'XA START');
  const leaves = operation === 'delete' && record.headers['__debezium.newkey'] !== undefined;
  const arrives = operation === 'insert' && record.headers['__debezium.oldkey'] !== undefined;
  return {
    kind: 'row',
    operation: leaves ? 'leaves' : arrives ? 'arrives' : operation,
    database: source.db,
    table: source.table,
    before: value.before ?? null,
    after: value.after ?? null,
    at: leaves ? { ...at, half: 0 } : at,
    transaction: value.transaction.id,
    committedAt,
  };
}
