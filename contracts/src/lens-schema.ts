import { z } from 'zod';
import { columnName } from './column-name.js';

const columns = z.array(columnName).default([]);

/** What a mapping says of its way back. */
export const lensKeys = {
  lost: z
    .array(columnName)
    .optional()
    .describe('source columns that do not come back as they were, or that have no place in the target'),
  owned: z
    .strictObject({
      source: columns.describe('source columns that are never written on the way back'),
      target: columns.describe('target columns that are never written on the way there, and are no drift'),
    })
    .optional()
    .describe('columns that one side alone writes'),
};
