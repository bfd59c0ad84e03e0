import { z } from 'zod';
import { columnName } from './column-name.js';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const values = z.union([value, z.array(value).min(1)]);
const condition = z.union([values, z.strictObject({ not: values })]);

/** Which rows of a source table a mapping takes: all conditions hold, each on the value as the server prints it. */
export const whereSchema = z
  .record(columnName, condition)
  .refine((where) => Object.keys(where).length > 0, {
    message: 'names no column',
    params: { remedy: 'write "column: value", or leave it out' },
  })
  .optional()
  .describe('rows that are taken: "column: value", a list of values, null, or { not: ... }');
export type Where = NonNullable<z.infer<typeof whereSchema>>;
export type WhereValue = z.infer<typeof value>;
