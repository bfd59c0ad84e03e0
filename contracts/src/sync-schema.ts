import { z } from 'zod';
import { address } from './address-schema.js';
import { adminToken } from './secret-schema.js';
import { standbySchema } from './standby-schema.js';
import { syncSourceKeys } from './sync-source-schema.js';
import { throttleSchema } from './throttle-schema.js';

/** Settings of the data flow. */
export const syncSchema = z
  .strictObject({
    admin: address.prefault('127.0.0.1:7071'),
    adminToken: adminToken.optional(),
    ...syncSourceKeys,
    failover: standbySchema,
    expectedOutageMs: z
      .number()
      .int()
      .min(0)
      .default(86_400_000)
      .describe(
        'how long sync may be away and go on behind it: "strangler doctor" warns of a source that keeps its log for less',
      ),
    throttle: throttleSchema.describe('when the copy of tables pauses; what the log brings does not'),
    verify: z
      .strictObject({
        inline: z
          .number()
          .min(0)
          .max(1)
          .default(0.001)
          .describe(
            'share of the written keys that are compared soon after, two hundred a second at most; 0: none',
          ),
      })
      .prefault({}),
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
