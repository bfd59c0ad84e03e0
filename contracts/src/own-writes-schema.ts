import { z } from 'zod';

/** How the reads of a client follow its own writes. */
export const ownWritesSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'reads of a client that has written stay on legacy until the service has that write; false: the flag alone decides',
      ),
    ceilingMs: z
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(10_000)
      .describe('longest that a write keeps reads on legacy, also when nobody can say how far the copy is'),
  })
  .prefault({});
export type OwnWritesRules = z.infer<typeof ownWritesSchema>;
