import { z } from 'zod';
import type { RoutePattern } from './route-pattern.js';

const IDLE_MS = 1_800_000;

/** Routes that a client goes through together: a list of patterns, or the same with how long a pause may be. */
export const workflowSchema = (pattern: z.ZodType<RoutePattern, string>) => {
  const routes = z.array(pattern).min(1);
  return z.union([
    routes.transform((all) => ({ routes: all, idleMs: IDLE_MS })),
    z.strictObject({
      routes,
      idleMs: z
        .number()
        .int()
        .min(1_000)
        .max(86_400_000)
        .default(IDLE_MS)
        .describe('a client that has asked for none of the routes for so long is no longer inside'),
    }),
  ]);
};
