import { z } from 'zod';

/** What becomes of writes into mapped tables of the target that are not ours. */
export const strayWritesSchema = z
  .enum(['ignore', 'report', 'repair', 'stop'])
  .optional()
  .describe(
    "writes of others into the target while data flow: not looked for, told, their rows copied again, or the flow stops; all but the first need the target's log",
  );
export type StrayWritesMode = NonNullable<z.infer<typeof strayWritesSchema>>;
