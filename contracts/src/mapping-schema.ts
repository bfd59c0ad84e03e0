import { z } from 'zod';
import { assemblyKeys } from './assembly-schema.js';
import { columnName as column } from './column-name.js';
import { columnRuleSchema } from './column-rule-schema.js';
import { writersKeys } from './conflicts-schema.js';
import { lensKeys } from './lens-schema.js';
import { whereSchema } from './where-schema.js';

/** One text column that holds a list becomes one child row for each element; blanks are trimmed, empty elements left out. */
export const splitRuleSchema = z.strictObject({
  to: z.string().min(1).describe('target child table'),
  column: column.describe('source column that holds the list'),
  separator: z.string().min(1).default(','),
  key: z.record(column, column).describe('target column: source key column; together they name the parent'),
  item: column.describe('target column for the element'),
  position: column.optional().describe('target column for the place in the list, counted from 0'),
});
export type SplitRule = z.infer<typeof splitRuleSchema>;

export const tableMappingSchema = z.strictObject({
  from: z.string().min(1).describe('source table'),
  to: z.string().min(1).describe('target table'),
  where: whereSchema,
  key: z
    .record(column, column)
    .refine((key) => Object.keys(key).length > 0, {
      message: 'names no column',
      params: { remedy: 'write the primary key as "target: source"' },
    })
    .describe('target column: source column of the primary key'),
  columns: z.record(column, columnRuleSchema).default({}),
  split: z.array(splitRuleSchema).default([]),
  leaveOut: z
    .array(column)
    .optional()
    .describe('columns of the source that came later and are known not to be carried (data.addedColumns)'),
  ...lensKeys,
  ...assemblyKeys(columnRuleSchema),
  ...writersKeys,
});
export type TableMapping = z.infer<typeof tableMappingSchema>;
/** Another source table of which at most one row gives columns to each row of the target. */
export type PartRule = NonNullable<TableMapping['parts']>[number];
