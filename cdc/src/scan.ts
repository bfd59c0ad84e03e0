import type { Offset, Row, SourceTransaction } from '@strangler/contracts';
import type { ProgressUpdate } from './apply.js';
import { sameKeyText } from './compare-rows.js';
import type { Chunk } from './backfill.js';
import { anchorKeyOf } from './assembly.js';
import { keyText } from './map.js';
import { answerOf } from './answers.js';
import { mapRow, mergeOfRow, writeOfRow, writesOf } from './plan-writes.js';
import type { Repair } from './repair.js';
import type { TablePair } from './table-pair.js';
import { type Watermark, watermarkOf } from './watermark.js';
import type { Write } from './compact.js';

/** Keys that the log touched, by the name of their pair and text. */
type Touched = Map<string, Map<string, Row>>;

/** Of a table between two watermarks; a large transaction may touch any number. */
const KEYS_REMEMBERED = 100_000;

export type Scanned = {
  /** How far the other stream had carried the target's log, as far as is known. */
  readonly seen: Offset | undefined;
  readonly writes: readonly Write[];
  readonly progress: readonly ProgressUpdate[];
  readonly chunks: readonly Chunk[];
  readonly repairs: readonly Repair[];
  readonly watermarks: readonly Watermark[];
  readonly rows: number;
};

export type ScannerOptions = {
  readonly stream: string;
  readonly watermarkSchema: string;
  readonly pairs: readonly TablePair[];
  /** The chunk that was announced for a high watermark, or undefined for one of an earlier run. */
  readonly chunkOf: (high: string) => Chunk | undefined;
  /** As `chunkOf`, for keys of the parking lot. */
  readonly repairOf: (high: string) => Repair | undefined;
  /** Whether anybody wants to be told of keys. */
  readonly isWatched: () => boolean;
  /** Told of each key the log touches, before anything of its transaction is applied; null: any key of the pair may be. */
  readonly onTouched: (pair: string, key: Row | null) => void;
};

/**
 * Turns source transactions into writes, in order. Between the watermarks of a chunk it remembers which keys the log touched: at the high watermark the other
 * rows of the chunk are as new as the log and become writes, the touched ones have been written from the log already.
 */
export function createScanner(
  options: ScannerOptions,
): (transactions: readonly SourceTransaction[]) => Scanned {
  const pairs = new Map<string, TablePair[]>();
  for (const pair of options.pairs) {
    const name = `${pair.source.database}.${pair.source.name}`;
    pairs.set(name, [...(pairs.get(name) ?? []), pair]);
  }
  let seen: Offset | undefined;
  let window: { readonly low: string; touched: Touched | undefined } | undefined;

  return (transactions) => {
    const writes: Write[] = [];
    const progress: ProgressUpdate[] = [];
    const chunks: Chunk[] = [];
    const repairs: Repair[] = [];
    const watermarks: Watermark[] = [];
    let rows = 0;
    for (const { changes, seen: told } of transactions) {
      seen = told ?? seen;
      for (const change of changes) {
        const watermark = watermarkOf(change, options.watermarkSchema, options.stream);
        if (watermark) {
          watermarks.push(watermark);
          if (watermark.kind === 'low') window = { low: watermark.token, touched: new Map() };
          if (watermark.kind === 'high') close(watermark.token);
          continue;
        }
        const answer = answerOf(change, options.watermarkSchema);
        const asked = answer && pairs.get(`${answer.database}.${answer.table}`)?.find(({ merge }) => merge);
        if (asked) writes.push(mergeOfRow(asked, asked.map.keyOf(answer.row), answer.row, seen, true));
        const mapped = pairs.get(`${change.database}.${change.table}`);
        if (!mapped) continue;
        rows++;
        for (const pair of mapped) {
          if (change.operation === 'truncate') {
            // Every key is touched.
            if (window) window.touched = undefined;
            writes.push({ kind: 'empty', pair, change });
            continue;
          }
          if (window?.touched || options.isWatched())
            for (const image of [change.before, change.after]) if (image) touch(pair, image);
          for (const write of writesOf(pair, change, seen)) writes.push(write);
        }
      }
    }
    return { writes, seen, progress, chunks, repairs, watermarks, rows };

    function touch(pair: TablePair, image: Row): void {
      const key = pair.map.keyOf(image);
      if (pair.shadow) options.onTouched(pair.shadow.assembly.anchor.name, anchorKeyOf(pair.shadow, image));
      else options.onTouched(pair.name, key);
      if (!window?.touched) return;
      const keys = window.touched.get(pair.name) ?? new Map<string, Row>();
      window.touched.set(pair.name, keys.set(keyText(key), key));
      if (keys.size > KEYS_REMEMBERED) window.touched = undefined;
    }

    function close(high: string): void {
      const repair = options.repairOf(high);
      if (repair) return settle(repair);
      const chunk = options.chunkOf(high);
      if (!chunk) return;
      // Without its low watermark nobody could say which rows are stale.
      if (window?.low !== chunk.low) throw new Error(`chunk of "${chunk.pair.name}" ended before it began`);
      chunks.push(chunk);
      const { touched } = window;
      window = undefined;
      // Too much was touched to remember it: the chunk is read again, between other watermarks.
      if (touched === undefined) {
        chunk.isStale = true;
        return;
      }
      const keys = touched.get(chunk.pair.name);
      const { map } = chunk.pair;
      const current = chunk.rows.filter((row) => map.takes(row) && !keys?.has(keyText(map.keyOf(row))));
      for (const row of current) writes.push(writeOfRow(chunk.pair, row, seen));
      const gone = (chunk.gone ?? []).filter(isUntouched(chunk.pair, keys));
      for (const key of gone)
        writes.push(
          chunk.pair.merge
            ? mergeOfRow(chunk.pair, key, null, seen)
            : { kind: 'delete', pair: chunk.pair, key },
        );
      rows += current.length + gone.length;
      const { progress: update } = chunk;
      if (update?.again) progress.push({ ...update, again: { ...update.again, removed: gone.length } });
      else if (update) progress.push(update);
    }

    /** What the log touched meanwhile was parked with the rest of its queue: it is read again. */
    function settle(repair: Repair): void {
      repairs.push(repair);
      const touched = window?.low === repair.low ? window.touched : undefined;
      window = undefined;
      for (const { pair, key, row, discard } of repair.keys) {
        if (discard) writes.push({ kind: 'discard', pair, key, ...discard });
        else if (touched && !touched.get(pair.name)?.has(keyText(key))) {
          const mapped = row ? mapRow(pair, row) : { row: null };
          writes.push({ kind: 'repair', pair, key, seen, row: null, ...mapped });
        }
      }
    }
  };
}

/** Keys that come from the target may be written in another way than those of the log. */
function isUntouched(pair: TablePair, touched: ReadonlyMap<string, Row> | undefined): (key: Row) => boolean {
  const texts = new Set([...(touched?.values() ?? [])].map((key) => sameKeyText(pair, key)));
  return (key) => !texts.has(sameKeyText(pair, key));
}
