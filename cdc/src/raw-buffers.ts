/** Larger ones are not kept: a range is of two million bytes, but a single row may be of a billion. */
const MOST_KEPT = 8_000_000;
const FIRST = 262_144;

/** Buffers that are used again: to let the collector have them costs more than what is done with them. */
export type RawBuffers = {
  /** One that nobody has, of at least so many bytes where they are given. */
  take(bytes?: number): Buffer;
  giveBack(buffer: Buffer): void;
};

export function rawBuffers(): RawBuffers {
  const free: Buffer[] = [];
  return {
    take(bytes = FIRST) {
      // The largest is given away first.
      const largest = free.at(-1);
      if (largest === undefined || largest.length < bytes) return Buffer.allocUnsafeSlow(bytes);
      return free.pop() as Buffer;
    },
    giveBack(buffer) {
      if (buffer.length > MOST_KEPT) return;
      free.push(buffer);
      free.sort((one, other) => one.length - other.length);
    },
  };
}
