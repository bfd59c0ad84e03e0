import { z } from 'zod';

/** The two streams of a migration: `there` from legacy to the service, `back` from the service to legacy. One runs at a time. */
export const STREAMS = ['there', 'back'] as const;
export type Stream = (typeof STREAMS)[number];

/** `POST /migrations/NAME/reach` of the sync's admin port: waits until the target has everything that was committed in the source before the question. */
export const reachWish = z.strictObject({
  stream: z.enum(STREAMS),
  deadlineMs: z.number().int().min(1).max(600_000),
});
export type ReachWish = z.infer<typeof reachWish>;

/**
 * `POST /migrations/NAME/tail`: compares what may differ while nobody writes: doubtful keys, the newest `rows` of each table by its key, and the number of
 * rows of small tables. Answers `TailCompared`.
 */
export const tailWish = z.strictObject({
  stream: z.enum(STREAMS),
  rows: z.number().int().min(1).max(100_000),
  deadlineMs: z.number().int().min(1).max(600_000),
});
export type TailWish = z.infer<typeof tailWish>;
export type TailCompared = {
  readonly tables: readonly {
    readonly table: string;
    readonly compared: number;
    readonly different: number;
    /** At most ten sentences that name the key and the column. */
    readonly samples: readonly string[];
  }[];
  /** Keys whose rows the target has refused. */
  readonly parked: number;
};

/**
 * `POST /migrations/NAME/handover`: notes, in the database it will write to, that the stream `to` begins where the log of its source stands now. Only while neither application
 * writes, and the stream that runs has caught up; asked again for the same epoch it keeps what was noted. Answers `HandedOver`.
 */
export const handoverWish = z.strictObject({
  to: z.enum(STREAMS),
  epoch: z.number().int().min(1),
});
export type HandoverWish = z.infer<typeof handoverWish>;
export type HandedOver = { readonly offset: string };

/**
 * `POST /migrations/NAME/self-test`: proves that the stream could run: its mappings compile on both databases, its privileges are there, and the log of its source tells our
 * writes from those of others. Changes no table of an application. Answers `SelfTested`.
 */
export const selfTestWish = z.strictObject({ stream: z.enum(STREAMS) });
export type SelfTestWish = z.infer<typeof selfTestWish>;
export type SelfTested = { readonly ok: boolean; readonly problems: readonly string[] };
