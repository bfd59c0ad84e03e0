/** Taken once: where a global is looked up each time, as under jest, that would be most of the work. */
const { imul } = Math;
const CHUNK_BITS = 16;
const CHUNK = 1 << CHUNK_BITS;

/** FNV-1a over bytes, mixed at the end: neighbouring states differ in one byte. */
function hashOf(state: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < state.length; at += 1) hash = imul(hash ^ state[at]!, 0x01000193);
  hash ^= hash >>> 15;
  hash = imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Numbers from 0 to 2^32 - 1, in the order they came. */
export class NumberList {
  private readonly chunks: Uint32Array[] = [];
  length = 0;

  push(value: number): void {
    const within = this.length & (CHUNK - 1);
    if (within === 0) this.chunks.push(new Uint32Array(CHUNK));
    this.chunks.at(-1)![within] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![index & (CHUNK - 1)]!;
  }
}

/** Every state that was seen, whole and once, numbered as it came: two states with one hash stay two. */
export class VisitedStates {
  private readonly size: number;
  private readonly chunks: Uint8Array[] = [];
  private slots = new Uint32Array(1 << 16);
  count = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** A view, valid as long as this is. */
  at(index: number): Uint8Array {
    const from = (index & (CHUNK - 1)) * this.size;
    return this.chunks[index >>> CHUNK_BITS]!.subarray(from, from + this.size);
  }

  /** The number of the state; it is new when that is the count from before. */
  add(state: Uint8Array): number {
    const mask = this.slots.length - 1;
    let slot = hashOf(state) & mask;
    for (let taken = this.slots[slot]!; taken !== 0; taken = this.slots[slot]!) {
      if (this.isAt(taken - 1, state)) return taken - 1;
      slot = (slot + 1) & mask;
    }
    const within = this.count & (CHUNK - 1);
    if (within === 0) this.chunks.push(new Uint8Array(CHUNK * this.size));
    this.chunks.at(-1)!.set(state, within * this.size);
    this.count += 1;
    this.slots[slot] = this.count;
    if (this.count * 2 > this.slots.length) this.grow();
    return this.count - 1;
  }

  private isAt(index: number, state: Uint8Array): boolean {
    const chunk = this.chunks[index >>> CHUNK_BITS]!;
    const from = (index & (CHUNK - 1)) * this.size;
    for (let at = 0; at < state.length; at += 1) if (chunk[from + at] !== state[at]) return false;
    return true;
  }

  private grow(): void {
    const slots = new Uint32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index += 1) {
      let slot = hashOf(this.at(index)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.slots = slots;
  }
}
