import { PHASES } from '@strangler/contracts';
import { z } from 'zod';
import { inputInvalid } from '../errors.js';

/** What people write is shown on terminals and in reports: one line, no control characters. */
const line = z
  .string()
  .trim()
  .regex(/^\P{Cc}*$/u, 'has control characters: write one line of text');
const by = line.min(1).max(190);
const why = line.max(1000).optional();
const to = z.enum(PHASES).optional();

export const advanceSchema = z.strictObject({
  to,
  share: z.number().int().min(1).max(100).optional(),
  by,
  why,
  force: z.boolean().optional(),
  dryRun: z.boolean().optional(),
});
export const rollbackSchema = z.strictObject({
  to,
  by,
  why,
  force: z.boolean().optional(),
  dryRun: z.boolean().optional(),
});
export const cutoverSchema = z.strictObject({
  by,
  why,
  force: z.boolean().optional(),
  dryRun: z.boolean().optional(),
});
export const approveSchema = z.strictObject({ by, why });
export const verifySchema = z.strictObject({
  by,
  afresh: z.boolean().optional(),
  exact: z.boolean().optional(),
});

/** Parses a body, or throws INPUT_INVALID with everything that is wrong with it. */
export function parseWish<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw inputInvalid(
    'body',
    `is not what this takes: ${parsed.error.issues
      .map((issue) => `${issue.path.length === 0 ? '' : `${issue.path.join('.')}: `}${issue.message}`)
      .join('; ')}`,
  );
}
