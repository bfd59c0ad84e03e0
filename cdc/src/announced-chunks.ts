import type { Chunk } from './backfill.js';

/** Chunks that were read and wait for their high watermark to come round in the log. */
export type AnnouncedChunks = {
  /** Resolves when the chunk is applied; rejects when that will not be. */
  announce(chunk: Chunk): Promise<void>;
  of(high: string): Chunk | undefined;
  applied(chunk: Chunk): void;
  /** Nothing announced will be applied any more. */
  end(reason: unknown): void;
};

export function createAnnouncedChunks(): AnnouncedChunks {
  const waiting = new Map<
    string,
    { readonly chunk: Chunk; readonly done: () => void; readonly fail: (reason: unknown) => void }
  >();
  let ended: { readonly reason: unknown } | undefined;
  return {
    announce: (chunk) =>
      new Promise((done, fail) => {
        if (ended) fail(ended.reason);
        else waiting.set(chunk.high, { chunk, done, fail });
      }),
    of: (high) => waiting.get(high)?.chunk,
    applied({ high }) {
      waiting.get(high)?.done();
      waiting.delete(high);
    },
    end(reason) {
      ended = { reason };
      for (const { fail } of waiting.values()) fail(reason);
      waiting.clear();
    },
  };
}
