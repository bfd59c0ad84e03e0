import { z } from 'zod';

/** Name of a column, as the servers allow it. */
export const columnName = z.string().min(1).max(64);
