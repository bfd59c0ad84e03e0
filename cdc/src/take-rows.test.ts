import { describe, expect, it } from '@jest/globals';
import { rawBuffers } from './raw-buffers.js';
import { cutRows, type RawRows } from './raw-rows.js';
import { createRowTaker } from './take-rows.js';
import { seeded } from './testing/databases.js';
import { packetsOf, valueOf, wireOf } from './testing/row-packets.js';

const END = Buffer.from([0xfe, 0, 0, 2, 0]);
const ERROR = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from('#28000no')]);
const COLUMN = Buffer.concat(['def', 'shop', 't', 't', 'c', 'c'].map(valueOf));

/** What comes before the rows, which are those of one column. */
const AHEAD = Buffer.concat(
  [Buffer.from([1]), COLUMN, END].flatMap((payload, index) => packetsOf(payload, index + 1)),
);
const behind = (payload: Buffer) => Buffer.concat(packetsOf(payload, 77));

function taken(chunks: readonly Buffer[]) {
  const told: { readonly packets: Buffer; readonly isEnd: boolean }[] = [];
  const taker = createRowTaker(rawBuffers(), (packets, isEnd) => told.push({ packets, isEnd }));
  for (const chunk of chunks) {
    // A chunk is only there while it is taken.
    const once = Buffer.from(chunk);
    taker.take(once);
    once.fill(0xee);
  }
  return { told, rows: taker.rows() };
}

const payloads = (rows: RawRows) => {
  const { buffer, starts, ends } = cutRows(rows);
  return starts.map((start, index) => buffer.subarray(start, ends[index]));
};

/** The stream in pieces of the given sizes, over and over. */
function pieces(stream: Buffer, sizes: () => number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const size = sizes();
    found.push(stream.subarray(at, at + size));
    at += size;
  }
  return found;
}

const VALUES = ['', null, 'a', '\u0000', 'x'.repeat(250), 'x'.repeat(251), 'ü'.repeat(40_000)];
const ROWS = VALUES.map((value) => [value]);

describe('rows of an answer', () => {
  it('are the same wherever the stream is cut, and the driver is told everything else as whole packets', () => {
    const wire = wireOf(ROWS, 1);
    const stream = Buffer.concat([AHEAD, wire, behind(END)]);
    const random = seeded(4711);
    const sizes = [
      () => stream.length,
      () => 1,
      () => 3,
      () => 65_536,
      () => 1 + Math.floor(random() * 9_000),
    ];
    for (const size of sizes) {
      const { told, rows } = taken(pieces(stream, size));
      expect(rows.count).toBe(ROWS.length);
      expect(rows.wire.equals(wire)).toBe(true);
      expect(payloads(rows).map((row) => row.toString('hex'))).toEqual(
        VALUES.map((value) => valueOf(value).toString('hex')),
      );
      expect(told).toEqual([
        { packets: AHEAD, isEnd: false },
        { packets: behind(END), isEnd: true },
      ]);
    }
  });

  it('may be longer than a packet, also by nothing, and begin as an end does', () => {
    const long = ['b'.repeat(0xffffff + 20), 'c'.repeat(0xffffff - 9), 'd'];
    const wire = wireOf(
      long.map((value) => [value]),
      1,
    );
    const { told, rows } = taken(pieces(Buffer.concat([AHEAD, wire, behind(END)]), () => 1_000_003));
    expect([rows.count, rows.isLong, told.length]).toEqual([3, true, 2]);
    for (const [index, row] of payloads(rows).entries())
      expect(row.equals(valueOf(long[index] ?? null))).toBe(true);
  });

  it('are none where the statement fails at once, and those before where it fails in between', () => {
    const refused = behind(ERROR);
    const atOnce = taken([refused]);
    expect([atOnce.rows.count, atOnce.rows.wire.length]).toEqual([0, 0]);
    expect(atOnce.told).toEqual([{ packets: refused, isEnd: true }]);
    const between = taken([AHEAD, wireOf(ROWS, 1), refused]);
    expect(between.told[1]).toEqual({ packets: refused, isEnd: true });
  });

  it('need no buffer of their own when they are given back', () => {
    const buffers = rawBuffers();
    const stream = Buffer.concat([AHEAD, wireOf(ROWS, 1), behind(END)]);
    const take = () => {
      const taker = createRowTaker(buffers, () => {});
      taker.take(stream);
      return taker.rows();
    };
    const [one, other] = [take(), take()];
    expect(one.wire.buffer).not.toBe(other.wire.buffer);
    one.giveBack();
    expect(take().wire.buffer).toBe(one.wire.buffer);
    expect(other.wire.equals(wireOf(ROWS, 1))).toBe(true);
  });
});
