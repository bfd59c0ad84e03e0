import { z } from 'zod';

const milliseconds = (most: number) => z.number().int().min(1).max(most);

/** How a migration changes sides. */
export const cutoverSchema = z
  .strictObject({
    drainMs: milliseconds(60_000)
      .default(2_000)
      .describe('how long writes on their way may take to end before the fence closes'),
    fenceMs: milliseconds(60_000)
      .default(2_000)
      .describe('how long the fence waits for open transactions that have written'),
    catchUpMs: milliseconds(120_000)
      .default(5_000)
      .describe('how long the copy may take to catch up behind the fence'),
    verifyMs: milliseconds(120_000)
      .default(5_000)
      .describe('how long the last comparison behind the fence may take'),
    tailRows: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe('newest rows of each table that are compared behind the fence'),
    maxTransactionMs: milliseconds(600_000)
      .default(10_000)
      .describe('a transaction of the writing database that is older keeps the cutover from beginning'),
    idGap: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(1_000)
      .describe('numbers left free between the last id of the old side and the first of the new one'),
    approval: z
      .boolean()
      .default(false)
      .describe('whether the owner must have approved with "strangler approve"'),
    quietDays: z
      .number()
      .min(0)
      .max(365)
      .default(14)
      .describe('days without a request on the legacy routes, before it may be retired'),
  })
  .prefault({});
export type CutoverRules = z.infer<typeof cutoverSchema>;

/** What a proxy keeps of writes that it holds while they change sides. */
export const holdSchema = z
  .strictObject({
    maxRequests: z.number().int().min(0).max(100_000).default(2_000).describe('one more is answered 503'),
    maxBytes: z
      .number()
      .int()
      .min(0)
      .default(16_777_216)
      .describe('heads and what has been read of bodies, of all held requests together'),
    maxMs: milliseconds(120_000)
      .default(10_000)
      .describe('a request held for longer is answered 503 with Retry-After'),
  })
  .prefault({});
export type HoldLimits = z.infer<typeof holdSchema>;
