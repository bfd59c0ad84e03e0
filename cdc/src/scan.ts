import type { Row, SourceTransaction } from '@strangler/contracts';
import type { ProgressUpdate } from './apply.js';
import type { Chunk } from './backfill.js';
import { keyText } from './map.js';
import { mapRow, writeOf } from './plan-writes.js';
import type { TablePair } from './table-pair.js';
import { type Watermark, watermarkOf } from './watermark.js';
import type { Write } from './compact.js';

export type Scanned = {
  readonly writes: readonly Write[];
  readonly progress: readonly ProgressUpdate[];
  readonly chunks: readonly Chunk[];
  readonly watermarks: readonly Watermark[];
  readonly rows: number;
};

export type ScannerOptions = {
  readonly stream: string;
  readonly watermarkSchema: string;
  readonly pairs: readonly TablePair[];
  /** The chunk that was announced for a high watermark, or undefined for one of an earlier run. */
  readonly chunkOf: (high: string) => Chunk | undefined;
  /** Told of each key the log touches, before anything of its transaction is applied. */
  readonly onTouched: (table: string, key: Row) => void;
};

/**
 * Turns source transactions into writes, in order. Between the watermarks of a chunk it remembers which keys the log touched: at the high watermark the other
 * rows of the chunk are as new as the log and become writes, the touched ones have been written from the log already.
 */
export function createScanner(
  options: ScannerOptions,
): (transactions: readonly SourceTransaction[]) => Scanned {
  const pairs = new Map(options.pairs.map((pair) => [`${pair.source.database}.${pair.source.name}`, pair]));
  let window: { readonly low: string; readonly touched: Map<string, Set<string>> } | undefined;

  return (transactions) => {
    const writes: Write[] = [];
    const progress: ProgressUpdate[] = [];
    const chunks: Chunk[] = [];
    const watermarks: Watermark[] = [];
    let rows = 0;
    for (const { changes } of transactions)
      for (const change of changes) {
        const watermark = watermarkOf(change, options.watermarkSchema, options.stream);
        if (watermark) {
          watermarks.push(watermark);
          if (watermark.kind === 'low') window = { low: watermark.token, touched: new Map() };
          if (watermark.kind === 'high') close(watermark.token);
          continue;
        }
        const pair = pairs.get(`${change.database}.${change.table}`);
        if (!pair) continue;
        rows++;
        for (const image of [change.before, change.after]) if (image) touch(pair, pair.map.keyOf(image));
        writes.push(writeOf(pair, change));
      }
    return { writes, progress, chunks, watermarks, rows };

    function touch(pair: TablePair, key: Row): void {
      options.onTouched(pair.source.name, key);
      if (!window) return;
      const keys = window.touched.get(pair.source.name) ?? new Set();
      window.touched.set(pair.source.name, keys.add(keyText(key)));
    }

    function close(high: string): void {
      const chunk = options.chunkOf(high);
      if (!chunk) return;
      // Without its low watermark nobody could say which rows are stale.
      if (window?.low !== chunk.low)
        throw new Error(`chunk of "${chunk.pair.source.name}" ended before it began`);
      const touched = window.touched.get(chunk.pair.source.name);
      window = undefined;
      const current = chunk.rows.filter((row) => !touched?.has(keyText(chunk.pair.map.keyOf(row))));
      for (const row of current)
        writes.push({ kind: 'upsert', pair: chunk.pair, row: mapRow(chunk.pair, row) });
      rows += current.length;
      progress.push(chunk.progress);
      chunks.push(chunk);
    }
  };
}
