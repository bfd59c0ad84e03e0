import type { RawBuffers } from './raw-buffers.js';
import type { RawRows } from './raw-rows.js';

/** Cuts what a server answers to one statement into the rows and what mysql2 has to see of it. */
export type RowTaker = {
  readonly take: (chunk: Buffer) => void;
  rows(): RawRows;
};

/** Told packets that are not rows, whole ones: those before the rows, then those behind them. */
type Told = (packets: Buffer, isEnd: boolean) => void;

const HEADER_BYTES = 4;
const LONGEST_PACKET = 0xffffff;
/** First bytes of packets (MySQL's protocol, "Text Resultset"). That of the end is also that of a row, but of a long one. */
const OK = 0x00;
const TWO_BYTES = 0xfc;
const END = 0xfe;
const END_BYTES_BELOW = 9;
const ERROR = 0xff;

export function createRowTaker(buffers: RawBuffers, tell: Told): RowTaker {
  let buffer = buffers.take();
  let [filled, at, from, until, count] = [0, 0, 0, 0, 0];
  // Packets before the first row; not known before the first of them.
  let ahead: number | undefined;
  let [isLong, isInRow] = [false, false];

  function append(chunk: Buffer): void {
    const needed = filled + chunk.length;
    if (needed > buffer.length) {
      const larger = buffers.take(Math.max(needed, 2 * buffer.length));
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
    chunk.copy(buffer, filled);
    filled = needed;
  }

  /** What the driver keeps must not lie in a buffer that is used again. */
  const copied = (start: number, end: number) => Buffer.from(buffer.subarray(start, end));

  return {
    take(chunk) {
      append(chunk);
      // An end is longer than its header; so is a row, but for the last part of a long one, and the end comes behind that.
      while (filled - at > HEADER_BYTES) {
        const length =
          (buffer[at] as number) | ((buffer[at + 1] as number) << 8) | ((buffer[at + 2] as number) << 16);
        const next = at + HEADER_BYTES + length;
        if (next > filled) return;
        const first = buffer[at + HEADER_BYTES] as number;
        const isOver =
          !isInRow &&
          (first === ERROR ||
            (ahead === undefined && first === OK) ||
            (ahead === 0 && first === END && length < END_BYTES_BELOW));
        if (isOver) {
          until = ahead === 0 ? at : from;
          tell(copied(ahead === 0 ? at : 0, filled), true);
          return;
        }
        at = next;
        if (ahead === 0) {
          isInRow = length === LONGEST_PACKET;
          if (isInRow) isLong = true;
          else count++;
        } else if (ahead === undefined) {
          const columns = first === TWO_BYTES ? buffer.readUInt16LE(HEADER_BYTES + 1) : first;
          // One packet for each column, and the end of them.
          ahead = columns + 1;
        } else if (--ahead === 0) {
          from = until = next;
          tell(copied(0, next), false);
        }
      }
    },
    rows() {
      const taken = buffer;
      return { wire: taken.subarray(from, until), count, isLong, giveBack: () => buffers.giveBack(taken) };
    },
  };
}
