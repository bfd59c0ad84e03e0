import { z } from 'zod';

/**
 * How far the copies of migrations have come: `GET /watermark?after=SEQUENCE` of sync's admin port. All times are
 * milliseconds of the one clock that `clock` names: it never goes back, and nothing is said of how it stands to any other.
 */
export const watermarkAnswerSchema = z.object({
  /** Another process has another clock: times of two clocks say nothing of each other. */
  clock: z.string().regex(/^[\w-]{1,64}$/),
  /** When the question came, and when the answer went. */
  askedAt: z.number(),
  answeredAt: z.number(),
  /** Grows whenever a watermark moves; to be given as the next `after`. */
  sequence: z.number().int().nonnegative(),
  migrations: z.record(
    z.string(),
    /** Everything committed in the source before it is in the target; null while nothing can be said. */
    z.object({ appliedUntil: z.number().nullable() }),
  ),
});
export type WatermarkAnswer = z.infer<typeof watermarkAnswerSchema>;

/** Longest that sync keeps a question waiting, when no watermark moves. */
export const WATERMARK_WAIT_MS = 10_000;
