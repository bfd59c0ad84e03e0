import { z } from 'zod';

const limit = (fallback: number, what: string) =>
  z.number().int().min(0).default(fallback).describe(`${what}; 0: not asked`);

/** When the copy of tables pauses: any one of these is enough. It goes on at three quarters of the limit. */
export const throttleSchema = z
  .strictObject({
    maxLagMs: limit(5_000, 'milliseconds that the stream may be behind its source'),
    // The default of pt-online-schema-change's --max-load.
    maxThreadsRunning: limit(25, 'Threads_running of either server'),
    maxRowLockWaits: limit(20, 'statements that wait for a row on either server'),
    maxHistoryLength: limit(
      1_000_000,
      'row versions that either server has yet to purge, where it tells (MariaDB)',
    ),
  })
  .prefault({});
export type ThrottleLimits = z.infer<typeof throttleSchema>;
