import type { Row, Value } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { isBytes } from './column.js';
import type { RawBuffers } from './raw-buffers.js';
import { takeFrom } from './raw-stream.js';
import { selectOf } from './sql.js';
import { columnOf, type Table } from './table.js';
import { createRowTaker } from './take-rows.js';

/** Rows as the server sent them. They lie in a buffer of `RawBuffers`, and are gone when that is given back. */
export type RawRows = {
  /** The packets of the rows, one behind the other. Of two answers of as many columns they are the same when all their rows are. */
  readonly wire: Buffer;
  readonly count: number;
  /** Whether a row is longer than a packet may be. */
  readonly isLong: boolean;
  giveBack(): void;
};

/** Row `i` lies in `buffer` from `starts[i]` to `ends[i]`, its values in MySQL's text protocol. */
export type CutRows = {
  readonly buffer: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
};

/** What takes the bytes of a connection, and lets mysql2's commands have them packet by packet. */
type Parser = { execute: (chunk: Buffer) => void };
/** What takes them where the connection is compressed. */
const INFLATED = '_inflatedPacketsParser';
type Core = {
  readonly stream: object;
  readonly packetParser: Parser;
  readonly [INFLATED]?: Parser;
  /** Of the packet that is waited for. */
  sequenceId: number;
  query(sql: string, done: (error: Error | null) => void): void;
};

const HEADER_BYTES = 4;
const LONGEST_PACKET = 0xffffff;

/**
 * Reads rows without making anything of them, not even rows: to take two million bytes costs less than to make ten thousand objects, and equal answers are found equal in one comparison. Texts are
 * what `readRows` decodes. The connection must do nothing else meanwhile, and is best one by `rawStream`.
 */
export function readRawRows(
  connection: Connection,
  table: Table,
  names: readonly string[],
  rest: string,
  buffers: RawBuffers,
): Promise<RawRows> {
  const { connection: core } = connection as unknown as { readonly connection: Core };
  return new Promise((done, fail) => {
    const parser = core[INFLATED] ?? core.packetParser;
    const { execute } = parser;
    const { stream } = core;
    const leave = () => {
      parser.execute = execute;
      takeFrom(stream, undefined);
    };
    const taker = createRowTaker(buffers, (packets, isEnd) => {
      if (isEnd) leave();
      core.sequenceId = packets[HEADER_BYTES - 1] as number;
      execute.call(parser, packets);
    });
    parser.execute = taker.take;
    if (parser === core.packetParser) takeFrom(stream, taker.take);
    core.query(selectOf(table, names, rest), (error) => {
      leave();
      if (!error) return done(taker.rows());
      taker.rows().giveBack();
      fail(error);
    });
  });
}

const packetLength = (wire: Buffer, at: number): number =>
  (wire[at] as number) | ((wire[at + 1] as number) << 8) | ((wire[at + 2] as number) << 16);

/** Where each row begins and ends. */
export function cutRows({ wire, count, isLong }: RawRows): CutRows {
  const starts: number[] = [];
  const ends: number[] = [];
  const buffer = isLong ? Buffer.allocUnsafeSlow(wire.length) : wire;
  let [at, to] = [0, 0];
  for (let index = 0; index < count; index++) {
    if (!isLong) {
      starts.push(at + HEADER_BYTES);
      at += HEADER_BYTES + packetLength(wire, at);
      ends.push(at);
      continue;
    }
    // A long row goes on in the next packet.
    starts.push(to);
    for (let length = LONGEST_PACKET; length === LONGEST_PACKET;) {
      length = packetLength(wire, at);
      to += wire.copy(buffer, to, at + HEADER_BYTES, at + HEADER_BYTES + length);
      at += HEADER_BYTES + length;
    }
    ends.push(to);
  }
  return { buffer, starts, ends };
}

/** Whether two rows have the same values in the same order; only the first so many where `columns` is given. */
export function isSameRow(one: CutRows, i: number, other: CutRows, j: number, columns?: number): boolean {
  const [start, from] = [one.starts[i] as number, other.starts[j] as number];
  const end = columns === undefined ? (one.ends[i] as number) : behind(one.buffer, start, columns);
  const until = columns === undefined ? (other.ends[j] as number) : from + end - start;
  return one.buffer.compare(other.buffer, from, until, start, end) === 0;
}

/** Whether so many rows from `i` and `j` on are the same, which is said of no rows that one side does not have. */
export function areSameRows(one: CutRows, i: number, other: CutRows, j: number, count: number): boolean {
  if (i + count > one.starts.length || j + count > other.starts.length) return false;
  const [start, from] = [one.starts[i] as number, other.starts[j] as number];
  const [end, until] = [one.ends[i + count - 1] as number, other.ends[j + count - 1] as number];
  return end - start === until - from && one.buffer.compare(other.buffer, from, until, start, end) === 0;
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
export function rowReader(table: Table, names: readonly string[]): (rows: CutRows, index: number) => Row {
  const columns = names.map((name) => {
    const column = columnOf(table, name);
    return { name, isBytes: column !== undefined && isBytes(column) };
  });
  return ({ buffer, starts }, index) => {
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
