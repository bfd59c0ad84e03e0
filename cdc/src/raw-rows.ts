import type { Row, Value } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { isBytes } from './column.js';
import { selectOf } from './sql.js';
import { columnOf, type Table } from './table.js';

/** Rows as the server sent them: row `i` lies in `buffers[i]` from `starts[i]` to `ends[i]`, its values in MySQL's text protocol. */
export type RawRows = {
  readonly buffers: Buffer[];
  readonly starts: number[];
  readonly ends: number[];
  bytes: number;
};

type Packet = {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  isEOF(): boolean;
};
type RowStep = (this: unknown, packet: Packet, connection: unknown) => unknown;
/** What mysql2 hands out for a statement: a state machine whose step `row` takes the packets of the rows. */
type Statement = { row: RowStep };
type Core = { query(sql: string, done: (error: Error | null) => void): Statement };

const HEADER_BYTES = 4;

/**
 * Reads rows without making values of them: two answers are compared by their bytes five times as fast as by their values. Nothing is copied. Texts are what `readRows`
 * decodes.
 */
export function readRawRows(
  connection: Connection,
  table: Table,
  names: readonly string[],
  rest: string,
): Promise<RawRows> {
  const { connection: core } = connection as unknown as { readonly connection: Core };
  return new Promise((done, fail) => {
    const rows: RawRows = { buffers: [], starts: [], ends: [], bytes: 0 };
    const statement = core.query(selectOf(table, names, rest), (error) => {
      if (error) fail(error);
      else done(rows);
    });
    const ended = statement.row;
    const take: RowStep = function (packet, server) {
      if (packet.isEOF()) return ended.call(this, packet, server);
      rows.buffers.push(packet.buffer);
      rows.starts.push(packet.start + HEADER_BYTES);
      rows.ends.push(packet.end);
      rows.bytes += packet.end - packet.start;
      return take;
    };
    statement.row = take;
  });
}

/** Whether two rows have the same values in the same order; only the first so many where `columns` is given. */
export function isSameRow(one: RawRows, i: number, other: RawRows, j: number, columns?: number): boolean {
  const buffer = one.buffers[i] as Buffer;
  const [start, from] = [one.starts[i] as number, other.starts[j] as number];
  const end = columns === undefined ? (one.ends[i] as number) : behind(buffer, start, columns);
  const until = columns === undefined ? (other.ends[j] as number) : from + end - start;
  return buffer.compare(other.buffers[j] as Buffer, from, until, start, end) === 0;
}

/** Length and head of the value at `at`; null is a value of no length. */
function lengthAt(buffer: Buffer, at: number): { readonly head: number; readonly length: number | null } {
  const first = buffer[at] as number;
  if (first < 0xfb) return { head: 1, length: first };
  if (first === 0xfb) return { head: 1, length: null };
  if (first === 0xfc) return { head: 3, length: buffer.readUInt16LE(at + 1) };
  if (first === 0xfd) return { head: 4, length: buffer.readUIntLE(at + 1, 3) };
  return { head: 9, length: Number(buffer.readBigUInt64LE(at + 1)) };
}

function behind(buffer: Buffer, start: number, columns: number): number {
  let at = start;
  for (let column = 0; column < columns; column++) {
    const { head, length } = lengthAt(buffer, at);
    at += head + (length ?? 0);
  }
  return at;
}

/** Rows of the named columns in the form of `readRows`. */
export function rowReader(table: Table, names: readonly string[]): (rows: RawRows, index: number) => Row {
  const columns = names.map((name) => {
    const column = columnOf(table, name);
    return { name, isBytes: column !== undefined && isBytes(column) };
  });
  return ({ buffers, starts }, index) => {
    const buffer = buffers[index] as Buffer;
    let at = starts[index] as number;
    const row: Record<string, Value> = {};
    for (const column of columns) {
      const { head, length } = lengthAt(buffer, at);
      at += head;
      if (length === null) {
        row[column.name] = null;
        continue;
      }
      const end = at + length;
      row[column.name] = column.isBytes
        ? Buffer.from(buffer.subarray(at, end))
        : buffer.toString('utf8', at, end);
      at = end;
    }
    return row;
  };
}
