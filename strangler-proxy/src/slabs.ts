import { LINE_BUFFER_BYTES } from './lines.js';

/** Bytes on their way to a client, in memory that is used again when they have left it. */
export type Slab = { readonly bytes: Buffer; readonly release: () => void };

export type Slabs = {
  /** A copy of `bytes[from, to)`, what one read of a line can give at most, with a text (latin1, a head at most) before it. */
  copy(text: string, bytes: Buffer, from: number, to: number): Slab;
};

const LONGEST_TEXT = 65_536;
const SLAB_BYTES = LINE_BUFFER_BYTES + LONGEST_TEXT;
const MOST_FREE = 64;

/** Memory outside of V8's heap that comes new with each answer makes V8 collect all of it again and again: half the CPU of large answers. */
export function createSlabs(): Slabs {
  const free: Buffer[] = [];
  return {
    copy(text, bytes, from, to) {
      const isUsual = text.length <= LONGEST_TEXT && to - from <= LINE_BUFFER_BYTES;
      const slab =
        (isUsual ? free.pop() : undefined) ??
        Buffer.allocUnsafeSlow(isUsual ? SLAB_BYTES : text.length + to - from);
      slab.write(text, 'latin1');
      bytes.copy(slab, text.length, from, to);
      return {
        bytes: slab.subarray(0, text.length + to - from),
        release() {
          if (isUsual && free.length < MOST_FREE) free.push(slab);
        },
      };
    },
  };
}
