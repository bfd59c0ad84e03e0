import { createHash } from 'node:crypto';
import type { ChangeEvent, Row } from '@strangler/contracts';
import type { ChangeSource } from './change-source.js';
import { loopFound } from './errors.js';
import { keyShown, keyText } from './map.js';
import type { TablePair } from './table-pair.js';

export type TripwireLimits = {
  /** How often one change of a row, from the same content to the same content, may cross the stream. */
  readonly crossings: number;
  readonly windowMs: number;
  /** Rows remembered, those that crossed last. */
  readonly keys: number;
};

export const TRIPWIRE: TripwireLimits = { crossings: 3, windowMs: 30_000, keys: 10_000 };

/** Of a row. A loop that comes by more different changes than these before it repeats itself is not seen. */
const CHANGES_REMEMBERED = 64;

/** What crossed of one row, oldest first: hashes and their times, side by side. */
type Crossed = { readonly hashes: number[]; readonly times: number[] };

export type Tripwire = { readonly pairs: readonly TablePair[]; readonly now: () => number } & TripwireLimits;

/** Ends the stream with LOOP_FOUND when a change of a row goes round: the last defence when echoes come without their mark. */
export function withTripwire(source: ChangeSource, options: Tripwire): ChangeSource {
  const pairs = new Map(options.pairs.map((pair) => [`${pair.source.database}.${pair.source.name}`, pair]));
  return {
    now: () => source.now(),
    async *stream(from, signal) {
      const crossed = new Map<string, Crossed>();
      for await (const transaction of source.stream(from, signal)) {
        for (const change of transaction.changes) {
          const pair = pairs.get(`${change.database}.${change.table}`);
          const image = change.after ?? change.before;
          if (!pair || !image) continue;
          const key = pair.map.keyOf(image);
          if (crossings(crossed, `${change.table}\0${keyText(key)}`, change, options) > options.crossings)
            throw loopFound(change.table, keyShown(key), options.crossings, options.windowMs);
        }
        yield transaction;
      }
    },
  };
}

/** How often the change has crossed within the window, this time included. */
function crossings(
  crossed: Map<string, Crossed>,
  id: string,
  change: ChangeEvent,
  { keys, windowMs, now }: Tripwire,
): number {
  const found = crossed.get(id) ?? { hashes: [], times: [] };
  // The one that crossed last is the last one of the map.
  crossed.delete(id);
  crossed.set(id, found);
  const [oldest] = crossed.size > keys ? crossed.keys() : [];
  if (oldest !== undefined) crossed.delete(oldest);
  const [hash, at] = [contentOf(change), now()];
  found.hashes.push(hash);
  found.times.push(at);
  if (found.hashes.length > CHANGES_REMEMBERED) {
    found.hashes.shift();
    found.times.shift();
  }
  return found.hashes.filter((each, index) => each === hash && at - (found.times[index] ?? 0) <= windowMs)
    .length;
}

const contentOf = ({ before, after }: ChangeEvent): number => {
  const text = (row: Row | null) => (row ? keyText(row) : '');
  return createHash('sha1')
    .update(`${text(before)}\0${text(after)}`)
    .digest()
    .readUIntBE(0, 6);
};
