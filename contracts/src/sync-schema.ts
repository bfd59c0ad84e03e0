import { z } from 'zod';

/** Settings of the data flow. */
export const syncSchema = <A extends z.ZodType>(address: A) =>
  z
    .strictObject({
      admin: address.prefault('127.0.0.1:7071' as never),
      parking: z
        .strictObject({
          maxKeys: z
            .number()
            .int()
            .min(0)
            .max(10_000)
            .default(100)
            .describe(
              'keys of a migration that may be parked because the target refuses their rows; one more stops it, 0 stops it at the first',
            ),
        })
        .prefault({}),
    })
    .prefault({});
